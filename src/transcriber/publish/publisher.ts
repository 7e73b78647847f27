import { hostsOf, type ReadConfig } from "../../core/config/config.ts";
import type { DirectoryState } from "../../core/stream/messages.ts";
import { HostWords } from "../../core/stream/plausible.ts";
import { hostKey, serviceKey } from "../../core/stream/routing.ts";
import type { Progress } from "../../core/util/slices.ts";
import type { Clock } from "../../ports/clock.ts";
import type { SteadyClock } from "../tables/steady-clock.ts";
import { type TableChange, tableWriter } from "../tables/table-writer.ts";
import type { TableChanges, Transcription } from "../tables/transcription.ts";
import { allowances } from "./allowance.ts";
import { type Leadership, leadStreams } from "./leader.ts";
import { keepSchedule } from "./schedule.ts";
import { openStream, type Stream } from "./stream.ts";

export interface PublisherOptions {
  readonly config: Pick<ReadConfig, "hosts">;
  /** The services that have a table. */
  readonly services: Iterable<string>;
  readonly tables: Pick<Transcription, "sliced" | "table" | "nextTime">;
  readonly steady: Pick<SteadyClock, "now">;
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** The epochs that hosts report. */
  readonly words?: HostWords;
  readonly signal: AbortSignal;
  /** The time between two digests of a table, in milliseconds. */
  readonly digestInterval: number;
  publish(key: string, body: string): Promise<void>;
  /** Waits until the broker may be back, longer with each failure in a row. */
  revive(failures: number): Promise<void>;
  /** Called after changes of the tables were passed to the streams. */
  onChanges(changes: TableChanges): void;
  log(line: string): void;
}

/**
 * The publisher of all tables. It owns the epoch, the streams and the order of writes. Each write is published under
 * the directory state to which it leads, before the next one begins.
 */
export interface Publisher extends Leadership {
  /** The progress of the present write, if it takes more than one slice. */
  readonly progress: Progress | undefined;
  /** The state of each service's stream to all hosts. */
  readonly streams: ReadonlyMap<string, Pick<Stream, "behind" | "blockedQueues">>;
  /** Writes a change to the tables after the writes before it, and publishes it. `written` is called right after. */
  write(change: TableChange, state: DirectoryState, written?: (changes: TableChanges) => void): Promise<void>;
  /** Resolves after the signal. */
  readonly done: Promise<void>;
}

/** Composes the table writer, the streams, their leader and the schedule. */
export function publishTables(options: PublisherOptions): Publisher {
  const { config, tables, steady, clock, random, signal, digestInterval, publish, revive, log } = options;
  const { words = new HostWords() } = options;
  const services = new Set(options.services);
  const allowance = allowances(clock);
  const writer = tableWriter({
    ...{ tables, steady, clock, signal, log },
    onChanges(changes) {
      leader.publishChanges(changes.services);
      options.onChanges(changes);
      schedule.wake();
    },
  });

  function open(service: string, everyone: string, hosts: readonly string[]): Stream {
    const table = tables.table(service);
    const asOf = () => writer.asOf;
    const applying = () => writer.applying;
    return openStream({ service, everyone, hosts, table, asOf, applying, allowance, publish, revive, log });
  }
  const streams = new Map(
    [...services].map((service) => [service, open(service, serviceKey(service), hostsOf(config, service))]),
  );
  const leader = leadStreams({
    ...{ streams, writer, clock, random, words, log },
    open(host) {
      const own = (config.hosts.get(host) ?? []).filter((service) => services.has(service));
      return new Map(own.map((service) => [service, open(service, hostKey(service, host), [host])]));
    },
  });
  const schedule = keepSchedule({
    ...{ clock, signal, digestInterval, due: leader.due, digest: leader.digests },
    nextTime: () => (writer.busy ? undefined : tables.nextTime()), // the end of a write wakes the schedule
    async tick() {
      await writer.tick();
      leader.proceed();
    },
  });

  return {
    get active() {
      return leader.active;
    },
    get epoch() {
      return leader.epoch;
    },
    get divergent() {
      return leader.divergent;
    },
    get progress() {
      return writer.progress;
    },
    streams,
    write: (change, state, written) =>
      writer.write(change, state, (changes) => {
        written?.(changes);
        leader.proceed();
      }),
    complete: leader.complete,
    interrupt: leader.interrupt,
    elect(active) {
      leader.elect(active);
      schedule.wake();
    },
    digests: leader.digests,
    answer: leader.answer,
    observe(host, epoch) {
      leader.observe(host, epoch);
      if (leader.due() !== undefined) schedule.wake();
    },
    noteStale(refusal) {
      leader.noteStale(refusal);
      schedule.wake();
    },
    done: schedule.done,
  };
}
