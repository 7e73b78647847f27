import { hostsOf, type ReadConfig } from "../core/config/config.ts";
import { orderersOf, sendersOf } from "../core/config/senders.ts";
import type { Table } from "../core/service/service.ts";
import type { ReportMessage } from "../core/stream/report.ts";
import { eventService, hostKey, queueName, reportService, serviceKey } from "../core/stream/routing.ts";
import type { TranscriberState } from "../core/stream/transcriber-state.ts";
import { backoff } from "../core/util/backoff.ts";
import { persist } from "../core/util/persist.ts";
import { plainLine } from "../core/util/shown.ts";
import type { Broker, Consumer } from "../ports/broker.ts";
import type { Clock } from "../ports/clock.ts";
import type { DirectorySource, EventDirectory, SourceChange } from "../ports/directory.ts";
import { allowances } from "./publish/allowance.ts";
import { speaker as speakerOf } from "./publish/leader.ts";
import { queuesOf } from "./publish/queues.ts";
import { keepTime } from "./publish/schedule.ts";
import { type Channel, channel } from "./publish/stream.ts";
import { tellWaves } from "./publish/waves.ts";
import { attribution } from "./receive/attribution.ts";
import { sayMoved } from "./receive/change-log.ts";
import { eventIntake } from "./receive/event-intake.ts";
import { followSource } from "./receive/follow-source.ts";
import { hearing } from "./receive/inbound.ts";
import { listener } from "./receive/listener.ts";
import { steadyClock } from "./tables/steady-clock.ts";
import { mover } from "./tables/table-writer.ts";
import { type Moved, type Refused, transcription } from "./tables/transcription.ts";

export interface TranscriberOptions {
  readonly host: string;
  readonly config: Pick<ReadConfig, "hosts" | "timezone"> & Partial<Pick<ReadConfig, "waves">>;
  /** The services that have a table, by name. */
  readonly services: ReadonlyMap<string, Table>;
  /** The hash of each service's file. */
  readonly codes: ReadonlyMap<string, string>;
  readonly source: DirectorySource;
  /** Where events are kept when they are the truth; left out where there is a directory, and events only say who and why. */
  readonly events?: EventStore;
  readonly broker: Broker;
  /** The user that the broker knows this transcriber by, where it knows users. */
  readonly brokerUser?: string | undefined;
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly log: (line: string) => void;
  readonly onReport: (report: ReportMessage) => void;
  /** Signs what is told of rows, where hosts want to know who said it. */
  readonly sign?: ((body: string) => string) | undefined;
  readonly signal: AbortSignal;
  /** How often each table's digest is said, in milliseconds. */
  readonly digestInterval?: number;
}

/** Of a directory that is made of events, what takes them. */
type EventStore = Pick<EventDirectory, "take" | "aside">;

export interface Transcriber {
  state(): TranscriberState;
  /** Every refused key of a service. */
  refused(service: string): Iterable<Refused>;
  /** Resolves when everything has ended after the signal. */
  readonly done: Promise<void>;
}

/** Turns the directory into the tables of the services, and tells their hosts: the work of the service `event`. */
export function transcribe(options: TranscriberOptions): Transcriber {
  const { host, config, services, codes, source, events, broker, clock, random, onReport, signal } = options;
  const { digestInterval = 60_000, sign = (body) => body } = options;
  const log = (line: string): void => options.log(plainLine(line, 2_000));
  const waits = { clock, signal, log };
  const tables = transcription(services, config);
  const steady = steadyClock(clock, log);
  const attributed = attribution();
  const queues = queuesOf(config, services, events ? "eventTruth" : "event");
  let complete = false;
  let asked: number | undefined;
  let verified: TranscriberState["verified"];
  let trouble: { readonly why: string; readonly since: number } | undefined;
  let readSince = Number.POSITIVE_INFINITY;
  const read = Promise.withResolvers<void>();

  async function revive(failures: number): Promise<void> {
    await clock.sleep(backoff(failures), signal);
    await persist("the broker", () => broker.declare(queues), waits);
  }
  const moves = mover({
    ...{ tables, steady, clock, signal, log },
    moved(moved) {
      speaker.moved(moved.services);
      for (const line of sayMoved(moved, attributed, clock.monotonic())) log(line);
      time.nudge();
    },
  });
  const asOf = () => moves.asOf;
  const settling = (): boolean => moves.settling;
  const publish = (key: string, body: string): Promise<void> => broker.publish(key, sign(body));
  const allows = allowances(clock);
  const stream = (service: string, everyone: string, hosts: readonly string[]): Channel =>
    channel({ service, everyone, hosts, table: tables.table(service), asOf, settling, allows, publish, revive, log });
  const channels = new Map(
    [...services.keys()].map((service) => [service, stream(service, serviceKey(service), hostsOf(config, service))]),
  );
  const open = (host: string): Map<string, Channel> =>
    new Map(
      (config.hosts.get(host) ?? [])
        .filter((service) => services.has(service))
        .map((service) => [service, stream(service, hostKey(service, host), [host])]),
    );
  const speaker = speakerOf({
    ...{ channels, open, clock, random, look: () => void moves.look(), busy: () => moves.busy, log },
    ...{ mirror: () => moves.asOf.state, readSince: () => readSince },
  });
  const time = keepTime({
    ...{ clock, signal, digestInterval, due: speaker.due, digest: speaker.digests },
    nextTime: () => (moves.busy ? undefined : tables.nextTime()), // the end of what is under way is followed by a look
    async look() {
      await moves.look();
      speaker.lookAgain();
    },
  });
  const tellWave = tellWaves(config.waves ?? {}, {
    clock,
    speaks: () => speaker.epoch !== undefined,
    apart: (host) => speaker.apart.has(host),
    // A word that is lost is no loss: whoever waits for it goes by itself after a while.
    publish: (key, body) => void publish(key, body).catch(() => {}),
  });
  const heard = {
    config,
    tables: services,
    speaker,
    steady,
    attributed,
    wrongSender: sendersOf(config, host, options.brokerUser),
    wrongOrderer: orderersOf(config, host, options.brokerUser),
    clock,
    onReport(report: ReportMessage) {
      onReport(report);
      tellWave(report);
    },
    nudge: time.nudge,
    verify,
    log,
  };
  const follows = hearing(heard);
  const hear = listener(follows, log, clock);
  const intake = events && eventIntake(events, follows, waits);

  async function take(change: SourceChange): Promise<void> {
    if (change.kind === "trouble") {
      if (change.why !== trouble?.why) log(`the directory: ${change.why}`);
      trouble = { why: change.why, since: trouble?.since ?? clock.now() };
      readSince = Number.POSITIVE_INFINITY;
      return;
    }
    const { state } = change;
    if (change.kind === "refresh")
      await moves.move((tables, now) => tables.refresh(change.entries, now, change.asked), state, refreshed);
    else await moves.move((tables, now) => tables.change(change.put, change.gone, now), state, speaker.lookAgain);
  }

  function refreshed(moved: Moved): void {
    if (trouble) log("the directory can be read again");
    trouble = undefined;
    readSince = Math.min(readSince, clock.monotonic());
    complete = true;
    read.resolve();
    speaker.complete();
    if (asked !== undefined) {
      verified = { asked, differed: moved.entries.size };
      speaker.digests();
    }
    asked = undefined;
    speaker.lookAgain();
  }

  /** Reads the directory whole again, and then says every digest. */
  function verify(when: number): void {
    // Who asks may ask again while no answer has come; one of 0 does not say when it was asked.
    if (when !== 0 && when === (asked ?? verified?.asked)) return;
    log("asked to verify: the directory is read again");
    asked = when;
    source.refresh();
  }

  function elect(active: boolean): void {
    speaker.elect(active && !signal.aborted);
    time.nudge();
  }

  async function attend(): Promise<void> {
    const stopped = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    const open: (Consumer | undefined)[] = [];
    const keep = async (begin: () => Promise<Consumer>): Promise<void> => {
      open.push(await persist("the broker", begin, waits));
    };
    await persist("the broker", () => broker.declare(queues), waits);
    await keep(() => broker.consume(queueName(host, reportService), hear.report, { prefetch: 100 }));
    await keep(() => broker.consume(queueName(host, eventService), intake?.take ?? hear.event, { prefetch: 100 }));
    // One that has read nothing yet would only be in the way of another that has.
    if (!events) await Promise.race([read.promise, stopped]);
    await keep(() => broker.stand(eventService, elect));
    if (!signal.aborted) await stopped;
    speaker.elect(false);
    // A connection that is gone has given everything back already.
    await Promise.allSettled(open.map((consumer) => consumer?.close()));
  }

  const done = Promise.all([
    followSource(source, take, { clock, signal, held: tables.entry }),
    time.done,
    attend(),
  ]).then(() => {});
  return {
    state: () => ({
      active: speaker.active,
      epoch: speaker.epoch,
      complete,
      ...(moves.progress && { progress: moves.progress }),
      ...(verified && { verified }),
      ...(speaker.apart.size > 0 && { apart: Object.fromEntries(speaker.apart) }),
      trouble: trouble?.why,
      troubleSince: trouble?.since,
      entries: tables.size,
      ...(events && intake && { events: { aside: events.aside(), trouble: intake.trouble } }),
      services: Object.fromEntries(
        [...channels].map(([service, { behind, refusing }]) => {
          const refused = tables.refusedCount(service);
          const rows = tables.table(service).size - refused;
          return [
            service,
            { rows, refused, code: codes.get(service) ?? "", behind, ...(refusing.length > 0 && { refusing }) },
          ];
        }),
      ),
    }),
    refused: tables.refused,
    done,
  };
}
