import { hostsOf, type ReadConfig } from "../core/config.ts";
import { reason } from "../core/outcome.ts";
import type { ReportMessage } from "../core/report.ts";
import { eventService, queueName, reportService } from "../core/routing.ts";
import type { Table } from "../core/service.ts";
import type { DirectoryState } from "../core/stream.ts";
import type { Broker, Consumer } from "../ports/broker.ts";
import type { Clock } from "../ports/clock.ts";
import type { DirectorySource, SourceChange } from "../ports/directory.ts";
import { attribution } from "./attribution.ts";
import { channel } from "./channel.ts";
import { listener } from "./listener.ts";
import { sayMoved } from "./moved.ts";
import { backoff, persist } from "./persist.ts";
import { plainLine } from "./plain-line.ts";
import { queuesOf } from "./queues.ts";
import { speaker } from "./speaker.ts";
import { steadyClock } from "./steady-clock.ts";
import { type Moved, type Refused, transcription } from "./transcription.ts";

const minute = 60_000;

export interface TranscriberOptions {
  readonly host: string;
  readonly config: Pick<ReadConfig, "hosts" | "timezone">;
  /** The services that have a table, by name. */
  readonly services: ReadonlyMap<string, Table>;
  /** The hash of each service's file. */
  readonly codes: ReadonlyMap<string, string>;
  readonly source: DirectorySource;
  readonly broker: Broker;
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly log: (line: string) => void;
  readonly onReport: (report: ReportMessage) => void;
  readonly signal: AbortSignal;
  /** How often each table's digest is said, in milliseconds. */
  readonly digestInterval?: number;
}

/** What a transcriber says of itself. */
export interface TranscriberState {
  readonly active: boolean;
  readonly epoch: number | undefined;
  /** Whether the mirror is whole: until then nothing is said. */
  readonly complete: boolean;
  /** Why the directory cannot be read now. */
  readonly trouble: string | undefined;
  /** Since when, milliseconds since 1970. */
  readonly troubleSince: number | undefined;
  readonly entries: number;
  /** Per service: rows, refusals, the hash of the file that computed them, and whether hosts wait for the broker's return. */
  readonly services: Readonly<Record<string, { rows: number; refused: number; code: string; behind: boolean }>>;
}

export interface Transcriber {
  state(): TranscriberState;
  /** Every refused key of a service. */
  refused(service: string): Iterable<Refused>;
  /** Resolves when everything has ended after the signal. */
  readonly done: Promise<void>;
}

/** Turns the directory into the tables of the services, and tells their hosts: the work of the service `event`. */
export function transcribe(options: TranscriberOptions): Transcriber {
  const { host, config, services, codes, source, broker, clock, random, onReport, signal } = options;
  const log = (line: string): void => options.log(plainLine(line, 2_000));
  const { digestInterval = minute } = options;
  const waits = { clock, signal, log };
  const tables = transcription(services, config);
  const steady = steadyClock(clock, log);
  const attributed = attribution();
  const queues = queuesOf(config, services);
  let state: DirectoryState = [];
  let evaluatedAt = steady.now();
  let complete = false;
  let trouble: { readonly why: string; readonly since: number } | undefined;
  let nudge = new AbortController();

  const channels = new Map(
    [...services.keys()].map((service) => [
      service,
      channel({
        service,
        table: tables.table(service),
        asOf: () => ({ state, clock: evaluatedAt }),
        publish: (key, body) => broker.publish(key, body),
        async revive(failures) {
          await clock.sleep(backoff(failures), signal);
          await persist("the broker", () => broker.declare(queues), waits);
        },
        log,
      }),
    ]),
  );
  const voice = speaker({ channels, clock, random, mirror: () => state, look, log });

  /** Brings the tables to the present clock, with a change of the directory where there is one. */
  function move(change: (now: number) => Moved): Moved {
    evaluatedAt = steady.now();
    const moved = change(evaluatedAt);
    voice.moved(moved.services);
    nudge.abort(); // the next moment may be another one now
    return moved;
  }

  function look(): void {
    for (const line of sayMoved(move(tables.tick), attributed, clock.monotonic())) log(line);
  }

  function take(change: SourceChange): void {
    if (change.kind === "trouble") {
      if (change.why !== trouble?.why) log(`the directory: ${change.why}`);
      trouble = { why: change.why, since: trouble?.since ?? clock.now() };
      return;
    }
    state = change.state;
    const moved = move((now) =>
      change.kind === "refresh" ? tables.refresh(change.entries, now) : tables.change(change.put, change.gone, now),
    );
    for (const line of sayMoved(moved, attributed, clock.monotonic())) log(line);
    if (change.kind === "refresh") {
      if (trouble) log("the directory can be read again");
      trouble = undefined;
      complete = true;
      voice.complete();
    }
    voice.lookAgain();
  }

  async function followSource(): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      try {
        for await (const change of source.changes(signal)) {
          take(change);
          failures = 0;
        }
        return;
      } catch (error) {
        take({ kind: "trouble", why: reason(error) });
        failures += 1;
        await clock.sleep(backoff(failures), signal);
      }
    }
  }

  /** At least once a minute, so that a clock that jumps is noticed; and at each moment at which something is due. */
  async function keepTime(): Promise<void> {
    let digestAt = clock.monotonic() + digestInterval;
    while (!signal.aborted) {
      nudge = new AbortController();
      const moment = clock.monotonic();
      const waits = [
        minute,
        digestAt - moment,
        (voice.due() ?? Infinity) - moment,
        (tables.nextTime() ?? Infinity) - clock.now(),
      ];
      await clock.sleep(Math.max(0, Math.min(...waits)), nudge.signal);
      if (signal.aborted) return;
      look();
      voice.lookAgain();
      if (clock.monotonic() < digestAt) continue;
      voice.digests();
      digestAt = clock.monotonic() + digestInterval;
    }
  }

  const hear = listener(
    {
      report(report) {
        if (!config.hosts.has(report.host)) throw new Error(`the config has no host ${JSON.stringify(report.host)}`);
        for (const { stored, loaded, equal } of Object.values(report.services)) {
          for (const mark of [stored, loaded, equal]) {
            if (!mark) continue;
            voice.hear(mark.epoch);
            steady.hear(mark.asOf.clock, report.host);
          }
        }
        onReport(report);
      },
      ask({ service, host, want }) {
        mustRun(service, host);
        if (complete) voice.answer(service, host, want);
      },
      refusal(refusal) {
        mustRun(refusal.service, refusal.host);
        steady.hear(refusal.asOf.clock, refusal.host);
        voice.refused(refusal);
        nudge.abort();
      },
      event(event) {
        const late = attributed.heard(event, clock.monotonic());
        if (late) log(`${late.dn} was changed by ${late.by}`);
      },
    },
    log,
  );

  function mustRun(service: string, asking: string): void {
    if (services.has(service) && hostsOf(config, service).includes(asking)) return;
    throw new Error(`by the config ${JSON.stringify(asking)} has no table of ${JSON.stringify(service)}`);
  }

  async function attend(): Promise<void> {
    const open: (Consumer | undefined)[] = [];
    const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    await persist("the broker", () => broker.declare(queues), waits);
    for (const [service, take] of [
      [reportService, hear.report],
      [eventService, hear.event],
    ] as const) {
      open.push(
        await persist("the broker", () => broker.consume(queueName(host, service), take, { prefetch: 100 }), waits),
      );
    }
    open.push(await persist("the broker", () => broker.stand(eventService, (active) => voice.elect(active)), waits));
    if (!signal.aborted) await stopped;
    voice.elect(false);
    // A connection that is gone has given everything back already.
    await Promise.allSettled(open.map((consumer) => consumer?.close()));
  }

  signal.addEventListener("abort", () => nudge.abort(), { once: true });
  const done = Promise.all([followSource(), keepTime(), attend()]).then(() => {});
  return {
    state: () => ({
      active: voice.active,
      epoch: voice.epoch,
      complete,
      trouble: trouble?.why,
      troubleSince: trouble?.since,
      entries: tables.size,
      services: Object.fromEntries(
        [...channels].map(([service, { behind }]) => {
          const refused = tables.refusedCount(service);
          return [
            service,
            { rows: tables.table(service).size - refused, refused, code: codes.get(service) ?? "", behind },
          ];
        }),
      ),
    }),
    refused: tables.refused,
    done,
  };
}
