import type { CellChange } from "../../core/stream/cells.ts";
import { hearEpoch, hearRefusal, nextReview, noEpochs, reviewNewerStates } from "../../core/stream/epochs.ts";
import type { TableQuestion } from "../../core/stream/host-end.ts";
import { highestEpoch, type RefusalMessage } from "../../core/stream/messages.ts";
import { allowedEpoch, HostWords } from "../../core/stream/plausible.ts";
import { nextEpoch } from "../../core/stream/transcriber-end.ts";
import type { Clock } from "../../ports/clock.ts";
import type { TableWriter } from "../tables/table-writer.ts";
import { divergentHosts, epochSpacing } from "./divergent-hosts.ts";
import type { Stream } from "./stream.ts";

/** The highest epoch that a transcriber can follow: hosts still accept the next one above it. */
const highestFollowed = highestEpoch - 2_000;

/**
 * The least time between two epochs of all hosts that one host causes, in milliseconds: if another host supports it, and
 * if none does.
 */
const raiseSpacing = { supported: 60_000, alone: 60 * 60_000 };

export interface LeaderOptions {
  /** The streams of all hosts, by service. */
  readonly streams: ReadonlyMap<string, Stream>;
  /** Opens the streams of one host alone, by service. */
  open(host: string): ReadonlyMap<string, Stream>;
  /** The writer of the tables. No epoch begins while it is busy. */
  readonly writer: Pick<TableWriter, "asOf" | "busy" | "tick">;
  readonly clock: Pick<Clock, "now" | "monotonic">;
  readonly random: () => number;
  /** The epochs that hosts report. */
  readonly words?: HostWords;
  log(line: string): void;
}

/** The acts and the state of a leader that its publisher passes on. */
export interface Leadership {
  /** True while this transcriber is elected. */
  readonly active: boolean;
  /** The epoch of all hosts; undefined while this transcriber does not lead. */
  readonly epoch: number | undefined;
  /** The hosts with streams of their own, each with its highest epoch. */
  readonly divergent: ReadonlyMap<string, number>;
  elect(active: boolean): void;
  /** Notes that the mirror is complete and the directory can be read. From now on this transcriber leads if elected. */
  complete(): void;
  /** Notes that the directory cannot be read: until it can be again, it does not count as rolled back. */
  interrupt(): void;
  /** Publishes a digest on every stream. */
  digests(): void;
  answer(service: string, host: string, want: TableQuestion): void;
  /** Notes the highest epoch that a host reports for any of its services; undefined if it holds none. */
  observe(host: string, epoch: number | undefined): void;
  /** Notes that a host refused a message as stale: its own epoch or directory state is newer. */
  noteStale(refusal: RefusalMessage): void;
}

/** The owner of this transcriber's epochs. It publishes in them once this transcriber is elected and its mirror complete. */
export interface Leader extends Leadership {
  /** Publishes the changes that the tables have taken. */
  publishChanges(services: ReadonlyMap<string, readonly CellChange[]>): void;
  /** Begins epochs whose wait is over, and reviews the newer directory states of hosts. */
  proceed(): void;
  /** The moment of the next `proceed`, in monotonic milliseconds; undefined if nothing waits. */
  due(): number | undefined;
}

/**
 * Leads the streams. An epoch of a host raises the common one only as far as this transcriber's own clock allows. If
 * another host reports as high an epoch, it may be a little ahead. A host with a higher epoch diverges: it has streams of its own,
 * in epochs above its own. Thus all hosts are served at once after a clock that was ahead, and a report of one host
 * affects that host alone.
 */
export function leadStreams(options: LeaderOptions): Leader {
  const { streams, writer, clock, random, words = new HostWords(), log } = options;
  const divergent = divergentHosts(options);
  /** The time at which each host last caused an epoch of all others, in monotonic milliseconds. */
  const raisedAt = new Map<string, number>();
  /** The hosts whose implausible epoch is in the log already. */
  const logged = new Set<string>();
  let active = false;
  let complete = false;
  /** The time since which the directory can be read, in monotonic milliseconds. */
  let readSince = Number.POSITIVE_INFINITY;
  let epochs = noEpochs;
  let begunAt = Number.NEGATIVE_INFINITY;
  /** True if an epoch begins as soon as the last one is old enough and the tables are written. */
  let wanted = false;

  const leads = (): boolean => epochs.epoch > 0;

  function begin(): void {
    if (!active || !complete) return;
    wanted = writer.busy || clock.monotonic() - begunAt < epochSpacing;
    if (wanted) return;
    end();
    void writer.tick(); // first: otherwise rows whose time is over would return with the epoch's first digest
    wanted = writer.busy;
    if (wanted) return;
    begunAt = clock.monotonic();
    const epoch = nextEpoch(clock.now(), epochs.heard, random);
    epochs = { ...epochs, epoch, heard: epoch }; // newer states stay: an epoch that another host caused does not delay them
    log(`epoch ${epoch} begins`);
    for (const stream of streams.values()) stream.begin(epoch, false);
    for (const [host, held] of divergent.epochs) if (held < epoch) divergent.release(host);
    divergent.begin();
  }

  function end(): void {
    epochs = { ...epochs, epoch: 0, heard: Math.max(epochs.heard, epochs.epoch) };
    wanted = false;
    for (const stream of streams.values()) stream.end();
    divergent.end();
  }

  /** True if an epoch may raise the common one; otherwise its host diverges. */
  function raises(host: string, epoch: number): boolean {
    if (epoch <= Math.max(epochs.heard, epochs.epoch)) return true;
    if (epoch > allowedEpoch(clock.now())) return false;
    const isSupported = words.note(host, epoch);
    if (!isSupported && epoch >= (clock.now() + 1) * 1_000) return false;
    if (!leads()) return true; // the epoch is only noted: none begins
    const now = clock.monotonic();
    const spacing = isSupported ? raiseSpacing.supported : raiseSpacing.alone;
    if (now - (raisedAt.get(host) ?? Number.NEGATIVE_INFINITY) < spacing) return false;
    raisedAt.set(host, now);
    return true;
  }

  function follow(host: string, epoch: number): void {
    if (epoch > highestFollowed) {
      logOnce(host, `holds epoch ${epoch}, which no host can follow`);
    } else if (raises(host, epoch)) {
      const heard = hearEpoch(epochs, epoch);
      epochs = heard.epochs;
      if (leads() && heard.act === "epoch") begin();
    } else if (divergent.observe(host, epoch) && epoch > allowedEpoch(clock.now())) {
      const when = new Date(epoch / 1_000).toISOString();
      logOnce(
        host,
        `holds epoch ${epoch} of ${when}, ahead of this clock: it gets streams of its own, in epochs above`,
      );
    }
  }

  function logOnce(host: string, what: string): void {
    if (!logged.has(host)) log(`${host} ${what}; ${remedy}`);
    logged.add(host);
  }

  const allStreams = (): Stream[] => [...streams.values(), ...divergent.streams()];

  const answer: Leader["answer"] = (service, host, want) =>
    (divergent.streamsOf(host) ?? streams).get(service)?.answer(host, want);

  /** Reviews the newer states of hosts. While the tables are being written, the mirror may be about to reach them. */
  function reviewStates(): void {
    if (!leads() || writer.busy) return;
    const reviewed = reviewNewerStates(epochs, writer.asOf.state, clock.monotonic(), readSince);
    epochs = reviewed.epochs;
    for (const { host, service } of reviewed.reached) answer(service, host, "digest");
    for (const host of reviewed.rolledBack) {
      log(
        `${host} has held a newer state than the directory's for a minute: it is told that the directory was rolled back`,
      );
      divergent.rollBack(host, epochs.heard);
    }
  }

  return {
    get active() {
      return active;
    },
    get epoch() {
      return leads() ? epochs.epoch : undefined;
    },
    elect(elected) {
      if (active === elected) return;
      active = elected;
      log(active ? "this host is the active transcriber" : "this host is a standby transcriber");
      if (active) return begin();
      end();
      epochs = { ...epochs, newerStates: noEpochs.newerStates };
    },
    complete() {
      complete = true;
      readSince = Math.min(readSince, clock.monotonic());
      if (!leads()) begin();
    },
    interrupt() {
      readSince = Number.POSITIVE_INFINITY;
    },
    publishChanges(services) {
      for (const [service, changes] of services) {
        streams.get(service)?.publishChanges(changes);
        for (const stream of divergent.streams(service)) stream.publishChanges(changes);
      }
      for (const stream of allStreams()) stream.resume();
    },
    digests() {
      for (const stream of allStreams()) stream.digest();
    },
    answer,
    get divergent() {
      return divergent.epochs;
    },
    observe(host, epoch) {
      // A host that no longer holds a higher epoch, as after its store was deleted, follows the common streams again.
      if (leads() && (epoch ?? 0) <= epochs.epoch) divergent.release(host);
      if (epoch !== undefined) follow(host, epoch);
    },
    noteStale(refusal) {
      const { host, epoch } = refusal;
      follow(host, epoch);
      if (!leads()) return;
      // A divergent host refuses the common streams; only refusals of its own streams count.
      const refused = refusal.refused === (divergent.epochOf(host) || epochs.epoch) ? epochs.epoch : 0;
      const heard = hearRefusal(epochs, { ...refusal, refused, epoch: 0 }, writer.asOf.state, clock.monotonic());
      epochs = heard.epochs;
      if (heard.act === "digest") answer(refusal.service, host, "digest");
    },
    proceed() {
      if (wanted) begin();
      divergent.proceed();
      reviewStates();
    },
    due() {
      const times = [
        wanted && !writer.busy ? begunAt + epochSpacing : undefined,
        writer.busy ? undefined : nextReview(epochs, readSince),
        divergent.due(),
      ];
      const known = times.filter((time) => time !== undefined);
      return known.length === 0 ? undefined : Math.min(...known);
    },
  };
}

/** The remedy for a host that holds an implausible epoch. */
const remedy =
  "a transcriber's clock was ahead, or the host is wrong; to end this, stop the host, delete its store and start it";
