import type { CellChange } from "../../core/stream/cells.ts";
import { hearEpoch, hearRefusal, nextReview, noEpochs, reviewClaims } from "../../core/stream/epochs.ts";
import { type DirectoryState, highestEpoch, type RefusalMessage } from "../../core/stream/messages.ts";
import { allowedEpoch } from "../../core/stream/plausible.ts";
import type { Want } from "../../core/stream/reader.ts";
import { nextEpoch } from "../../core/stream/writer.ts";
import type { Clock } from "../../ports/clock.ts";
import { apart as apartOf, epochSpacing } from "./divergent-hosts.ts";
import type { Channel } from "./stream.ts";

/** The highest epoch that can be followed: the next one above it is one that hosts take. */
const mostFollowed = highestEpoch - 2_000;

/** The least time between two epochs that one host makes the others begin, in milliseconds. */
const outrunSpacing = 60_000;

export interface SpeakerOptions {
  readonly channels: ReadonlyMap<string, Channel>;
  /** Makes the streams of one host alone, by service. */
  open(host: string): ReadonlyMap<string, Channel>;
  readonly clock: Clock;
  readonly random: () => number;
  /** The directory state that the mirror holds. */
  mirror(): DirectoryState;
  /** Since when the directory is read without trouble, in monotonic milliseconds; infinite while it cannot be. */
  readSince(): number;
  /** Brings the tables to the present clock, at once unless much moves. */
  look(): void;
  /** The tables are being moved: no epoch begins before they are. */
  busy(): boolean;
  log(line: string): void;
}

/** Who speaks, and in which epoch: nobody unless elected and with a complete mirror. */
export interface Speaker {
  readonly active: boolean;
  readonly epoch: number | undefined;
  elect(active: boolean): void;
  /** The mirror is whole: what is said of it is true. */
  complete(): void;
  moved(services: ReadonlyMap<string, readonly CellChange[]>): void;
  digests(): void;
  answer(service: string, host: string, want: Want): void;
  /** The hosts that are told in epochs of their own, each with the highest epoch that it is known to hold. */
  readonly apart: ReadonlyMap<string, number>;
  /** Hears of the highest epoch that a host reports, of any of its services; undefined where it holds none. */
  hear(host: string, epoch: number | undefined): void;
  refused(refusal: RefusalMessage): void;
  /** Looks whether what it waited for has come. */
  lookAgain(): void;
  /** When to look again, in monotonic milliseconds. */
  due(): number | undefined;
}

/**
 * The epochs of a transcriber. An epoch that a host holds raises that of all only as far as this transcriber's own clock allows.
 * A host that holds a higher epoch is told apart, in epochs above its own.
 * Thus, after a clock that was ahead, all hosts are served at once, and a report of one host affects that host alone.
 */
export function speaker(options: SpeakerOptions): Speaker {
  const { channels, clock, random, mirror, readSince, look, busy, log } = options;
  const apart = apartOf(options);
  /** When each host last made the others begin an epoch, in monotonic milliseconds. */
  const outran = new Map<string, number>();
  /** The hosts of which the log has said that their epoch cannot be followed, or only apart. */
  const said = new Set<string>();
  let active = false;
  let complete = false;
  let epochs = noEpochs;
  let begunAt = Number.NEGATIVE_INFINITY;
  /** An epoch is to begin when the last one is old enough. */
  let wanted = false;

  const speaks = (): boolean => epochs.epoch > 0;

  function begin(): void {
    if (!active || !complete) return;
    wanted = busy() || clock.monotonic() - begunAt < epochSpacing;
    if (wanted) return;
    silence();
    look(); // before the epoch's first word, so that no row which time has taken away returns with it
    wanted = busy();
    if (wanted) return;
    begunAt = clock.monotonic();
    const epoch = nextEpoch(clock.now(), epochs.heard, random);
    epochs = { ...epochs, epoch, heard: epoch }; // what hosts claim stays: an epoch that another has begun must not put it off
    log(`epoch ${epoch} begins`);
    for (const channel of channels.values()) channel.begin(epoch, false);
    for (const [host, held] of apart.hosts) if (held < epoch) apart.release(host);
    apart.begin();
  }

  /** True if an epoch may raise that of all; otherwise the host that holds it is told apart. */
  function raises(host: string, epoch: number): boolean {
    if (epoch <= Math.max(epochs.heard, epochs.epoch)) return true;
    if (epoch > allowedEpoch(clock.now())) return false;
    if (!speaks()) return true; // it only becomes known: no epoch begins
    const now = clock.monotonic();
    if (now - (outran.get(host) ?? Number.NEGATIVE_INFINITY) < outrunSpacing) return false;
    outran.set(host, now);
    return true;
  }

  function hear(host: string, epoch: number): void {
    if (epoch > mostFollowed) {
      sayOnce(host, `holds epoch ${epoch}, which no host can follow`);
    } else if (raises(host, epoch)) {
      const heard = hearEpoch(epochs, epoch);
      epochs = heard.epochs;
      if (speaks() && heard.act === "epoch") begin();
    } else if (apart.hear(host, epoch) && epoch > allowedEpoch(clock.now())) {
      const when = new Date(epoch / 1_000).toISOString();
      sayOnce(host, `holds epoch ${epoch} of ${when}, ahead of this clock: it alone is told in epochs above that`);
    }
  }

  function sayOnce(host: string, what: string): void {
    if (!said.has(host)) log(`${host} ${what}; ${cure}`);
    said.add(host);
  }

  const everyChannel = (): Channel[] => [...channels.values(), ...apart.channels()];

  function silence(): void {
    epochs = { ...epochs, epoch: 0, heard: Math.max(epochs.heard, epochs.epoch) };
    wanted = false;
    for (const channel of channels.values()) channel.end();
    apart.end();
  }

  const answer: Speaker["answer"] = (service, host, want) =>
    (apart.of(host) ?? channels).get(service)?.answer(host, want);

  /** Judges what hosts claim of the directory. While the tables are being moved the mirror may be about to reach it. */
  function judge(): void {
    if (!speaks() || busy()) return;
    const judged = reviewClaims(epochs, mirror(), clock.monotonic(), readSince());
    epochs = judged.epochs;
    for (const { host, service } of judged.reached) answer(service, host, "digest");
    for (const host of judged.rolledBack) {
      log(`${host} holds a newer state than the directory for a minute: it is told that the directory was rolled back`);
      apart.rollBack(host, epochs.heard);
    }
  }

  return {
    get active() {
      return active;
    },
    get epoch() {
      return speaks() ? epochs.epoch : undefined;
    },
    elect(elected) {
      if (active === elected) return;
      active = elected;
      log(active ? "this host is the active transcriber" : "this host stands by");
      if (active) return begin();
      silence();
      epochs = { ...epochs, claims: noEpochs.claims };
    },
    complete() {
      complete = true;
      if (!speaks()) begin();
    },
    moved(services) {
      for (const [service, changes] of services) {
        channels.get(service)?.moved(changes);
        for (const channel of apart.channels(service)) channel.moved(changes);
      }
      for (const channel of everyChannel()) channel.resume();
    },
    digests() {
      for (const channel of everyChannel()) channel.digest();
    },
    answer,
    get apart() {
      return apart.hosts;
    },
    hear(host, epoch) {
      // One that holds nothing higher any more, as after its store was deleted, is told with the others again.
      if (speaks() && (epoch ?? 0) <= epochs.epoch) apart.release(host);
      if (epoch !== undefined) hear(host, epoch);
    },
    refused(refusal) {
      const { host, epoch } = refusal;
      hear(host, epoch);
      if (!speaks()) return;
      // One that is told apart refuses what all are told; what it does not take of its own stream counts.
      const refused = refusal.refused === (apart.epochOf(host) || epochs.epoch) ? epochs.epoch : 0;
      const heard = hearRefusal(epochs, { ...refusal, refused, epoch: 0 }, mirror(), clock.monotonic());
      epochs = heard.epochs;
      if (heard.act === "digest") answer(refusal.service, host, "digest");
    },
    lookAgain() {
      if (wanted) begin();
      apart.lookAgain();
      judge();
    },
    due() {
      const times = [
        wanted && !busy() ? begunAt + epochSpacing : undefined,
        busy() ? undefined : nextReview(epochs, readSince()),
        apart.due(),
      ];
      const known = times.filter((time) => time !== undefined);
      return known.length === 0 ? undefined : Math.min(...known);
    },
  };
}

/** The remedy at a host that holds an epoch of no use. */
const cure =
  "a transcriber's clock was ahead, or the host is wrong: to end it stop the host, delete its store, start it";
