import type { ReadConfig } from "../core/config/config.ts";
import { onlyTranscribers, sendersOf } from "../core/config/senders.ts";
import type { Table } from "../core/service/service.ts";
import type { AnswerMessage, OrderMessage } from "../core/stream/order.ts";
import { HostWords } from "../core/stream/plausible.ts";
import type { ReportMessage } from "../core/stream/report.ts";
import type { TranscriberState } from "../core/stream/transcriber-state.ts";
import { backoff } from "../core/util/backoff.ts";
import { persist } from "../core/util/persist.ts";
import { plainLine } from "../core/util/shown.ts";
import type { Broker } from "../ports/broker.ts";
import type { Clock } from "../ports/clock.ts";
import type { DirectorySource, EventDirectory } from "../ports/directory.ts";
import { namesakeLog } from "./namesake-log.ts";
import { publishTables } from "./publish/publisher.ts";
import { queuesOf } from "./publish/queues.ts";
import { publishWaves } from "./publish/waves.ts";
import { attribution } from "./receive/attribution.ts";
import { changeLines } from "./receive/change-log.ts";
import { consumeQueues } from "./receive/consumers.ts";
import { readDirectory } from "./receive/directory-reader.ts";
import { eventIntake } from "./receive/event-intake.ts";
import { handleInbound } from "./receive/inbound.ts";
import { listener } from "./receive/listener.ts";
import { steadyClock } from "./tables/steady-clock.ts";
import { type RefusedRow, transcription } from "./tables/transcription.ts";
import { transcriberState } from "./transcriber-state.ts";

export interface TranscriberOptions {
  readonly host: string;
  readonly config: Pick<ReadConfig, "hosts" | "timezone"> & Partial<Pick<ReadConfig, "waves" | "evaluation">>;
  /** The services that have a table, by name. */
  readonly services: ReadonlyMap<string, Table>;
  /** The hash of each service's file. */
  readonly codes: ReadonlyMap<string, string>;
  readonly source: DirectorySource;
  /** The store of events where they are the truth. Without it, events only name authors and purposes of changes. */
  readonly events?: Pick<EventDirectory, "take" | "aside">;
  readonly broker: Broker;
  /** The name by which the broker knows this transcriber, if it has users. */
  readonly brokerUser?: string | undefined;
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly log: (line: string) => void;
  readonly onReport: (report: ReportMessage) => void;
  /** Takes an order of a person to hosts; `user` is the user of the broker that sent it, if it is known. */
  readonly onOrder?: (order: OrderMessage, user: string | undefined) => void;
  /** Takes the answer of a host to an order. */
  readonly onAnswer?: (answer: AnswerMessage, user: string | undefined) => void;
  /** Signs messages about rows, if hosts trust keys. */
  readonly sign?: ((body: string) => string) | undefined;
  readonly signal: AbortSignal;
  /** The time between two digests of a table, in milliseconds. */
  readonly digestInterval?: number;
}

export interface Transcriber {
  state(): TranscriberState;
  /** Reads the directory again, and compares the tables with those of the hosts, for a `verify` of a time. */
  verify(at: number): void;
  /** Every refused row of a service. */
  refused(service: string): Iterable<RefusedRow>;
  /** Resolves after the signal, when all tasks have ended. */
  readonly done: Promise<void>;
}

/**
 * Turns the directory into the tables of the services and publishes them to their hosts: the service `event`. Composes
 * the tables, their publisher, the reader of the directory and the consumers of the queues.
 */
export function transcribe(options: TranscriberOptions): Transcriber {
  const { host, config, services, codes, source, events, broker, brokerUser, clock, random, signal } = options;
  const { digestInterval = 60_000, sign = (body) => body } = options;
  const log = (line: string): void => options.log(plainLine(line, 2_000));
  const waits = { clock, signal, log };
  const tables = transcription(services, config, { log });
  // One host with tables moves what is said to itself alone.
  const isAlone = [...config.hosts.values()].filter((own) => own.some((name) => services.has(name))).length < 2;
  const steady = steadyClock(clock, log, new HostWords(isAlone));
  const authors = attribution();
  const namesakes = namesakeLog();
  const queues = queuesOf(config, services, events ? "eventTruth" : "event");
  const publish = (key: string, body: string): Promise<void> => broker.publish(key, sign(body));

  const publisher = publishTables({
    ...{ config, services: services.keys(), tables, steady, random, digestInterval, publish, ...waits },
    words: new HostWords(isAlone),
    async revive(failures) {
      await clock.sleep(backoff(failures), signal);
      await persist("the broker", () => broker.declare(queues), waits);
    },
    onChanges(changes) {
      for (const line of changeLines(changes, authors, clock.monotonic())) log(line);
      for (const line of namesakes.take(tables.namesakes())) log(line);
    },
  });
  const reader = readDirectory({ source, publisher, known: tables.entry, ...waits });
  const tellWave = publishWaves(config.waves ?? {}, {
    clock,
    leads: () => publisher.epoch !== undefined,
    isDivergent: (host) => publisher.divergent.has(host),
    publish: (key, body) => void publish(key, body).catch(() => {}), // a host without the message continues after a while
  });
  const inbound = handleInbound({
    ...{ config, tableServices: services, publisher, steady, attribution: authors, clock, log },
    wrongSender: sendersOf(config, host, brokerUser),
    wrongTranscriber: onlyTranscribers(config, host, brokerUser),
    onOrder: (order, user) => options.onOrder?.(order, user),
    onAnswer: (answer, user) => options.onAnswer?.(answer, user),
    onReport(report) {
      options.onReport(report);
      tellWave(report);
    },
  });
  const listen = listener(inbound, log, clock);
  const intake = events && eventIntake(events, inbound, waits);
  const consumers = consumeQueues({
    ...{ host, broker, queues, report: listen.report, event: intake?.take ?? listen.event, elect: publisher.elect },
    // A transcriber that has read nothing yet would keep another from leading, unless events are the truth.
    ready: events ? Promise.resolve() : reader.whole,
    ...waits,
  });
  const parts = { publisher, reader, tables, namesakes, codes, events: events && intake && { store: events, intake } };
  return {
    state: () => transcriberState(parts),
    verify: reader.verify,
    refused: tables.refused,
    done: Promise.all([reader.done, publisher.done, consumers]).then(() => {}),
  };
}
