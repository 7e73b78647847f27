import { rmSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { transcribersOf } from "../core/config/config.ts";
import { userOf } from "../core/config/permissions.ts";
import { mayBeEmptied, removalsAllowed } from "../core/config/removals.ts";
import { orderersOf } from "../core/config/senders.ts";
import { waveWithin } from "../core/config/waves.ts";
import type { TranscriberReport } from "../core/stream/report.ts";
import type { TranscriberState } from "../core/stream/transcriber-state.ts";
import { reason, UserError } from "../core/util/errors.ts";
import { runHost } from "../host/host.ts";
import type { HostOptions } from "../host/options.ts";
import { serviceReport } from "../host/report.ts";
import type { Noted } from "../machines/dry.ts";
import { realMachine } from "../machines/real.ts";
import type { Broker } from "../ports/broker.ts";
import type { Clock } from "../ports/clock.ts";
import { loadServices, type Project, type Services } from "../project/project.ts";
import type { Lock } from "../sqlite/lock.ts";
import { patiently } from "../sqlite/open.ts";
import { Unusable } from "../sqlite/sound.ts";
import type { Transcriber } from "../transcriber/transcriber.ts";
import { connectBroker } from "./broker.ts";
import { systemClock } from "./clock.ts";
import { concurrently } from "./concurrently.ts";
import { removeLeftCopies } from "./copies.ts";
import { inNumbers, serviceDifference } from "./diff.ts";
import { lookedAt } from "./dry.ts";
import { openTrust } from "./keys.ts";
import { sharedBroker } from "./shared-broker.ts";
import { lockHost, openStore, scratchFolder } from "./store-file.ts";
import { runTranscriber } from "./transcriber.ts";

export interface UpOptions {
  /** The hosts of the config to be. */
  readonly hosts: readonly string[];
  readonly signal: AbortSignal;
  log(line: string): void;
  /** The password of RabbitMQ, where the environment gives one. */
  readonly brokerPassword?: string | undefined;
  readonly clock?: Clock;
  /** The hosts only look: they follow, render and show what they would change, and write nothing but a state of their own. */
  readonly dry?: { show(host: string, service: string, seen: Seen): void };
}

/** What a run would have changed on a host that only looks, and the rows that it would keep out of force (the first hundred), with the reason. */
export interface Seen {
  readonly noted: Noted;
  readonly secret: boolean;
  readonly kept: readonly { readonly key: string; readonly why: string }[];
  readonly keptCount: number;
}

/** How often a host that only looks compares everything anew, in milliseconds: what it looks at may change under it. */
const lookEvery = 60_000;

/** The project of hosts that only look: with a state of its own, and a broker of its own within it. */
export const dryProject = (project: Project): Project => ({
  ...project,
  config: { ...project.config, broker: undefined, signing: undefined, waves: {} },
  state: join(project.state, "dry"),
});

/** Runs hosts of a project until the signal. One that cannot run stops them all, with its reason. */
export async function up(project: Project, options: UpOptions): Promise<void> {
  const connect = sharedBroker(() => connectBroker(project, { log: options.log, password: options.brokerPassword }));
  const one = (host: string) => (signal: AbortSignal) => upHost(project, host, { ...options, signal, connect });
  await concurrently(options.signal, options.hosts.map(one));
}

async function upHost(
  project: Project,
  host: string,
  options: UpOptions & { connect(): Promise<Broker> },
): Promise<void> {
  const { signal, clock = systemClock, dry, connect } = options;
  const { config, state } = project;
  const log = (line: string): void => options.log(`${host}: ${line}`);
  const lock = await lockHost(state, host, clock, signal);
  try {
    removeLeftCopies(state, host);
    rmSync(scratchFolder(state, host), { recursive: true, force: true });
    const own = config.hosts.get(host) ?? [];
    const { services, codes } = await loadServices(project, own);
    const distrust = openTrust(project, log);
    const live = (database: DatabaseSync): Promise<void> => {
      log(`up with ${own.join(", ") || "no service"}`);
      const shared = { database, clock, log, connect };
      const on = dry ? looking(host, services, database, dry) : acting(project, host);
      const removalLimit = (service: string, rows: number) => removalsAllowed(config.removals, service, rows);
      const mayEmpty = (service: string) => mayBeEmptied(config.removals, service);
      const wrongOrderer = orderersOf(config, host, config.broker && userOf(config.broker.url));
      const waits = (service: string) => waveWithin(config.waves, service, host);
      const transcribes = transcribersOf(config).includes(host);
      let transcriber: Transcriber | undefined;
      const began = (one: Transcriber): void => {
        transcriber = one;
      };
      return concurrently(signal, [
        (signal) => watchLock(lock, { state, host, clock, signal }),
        (signal) =>
          runHost({
            ...{ ...shared, ...on, ...(distrust && { distrust }) },
            ...{ removalLimit, mayEmpty, waveWithin: waits, wrongOrderer, name: host, services, codes, signal },
            ...(transcribes && { transcriber: () => transcriber && reportOf(transcriber.state()) }),
          }),
        ...(transcribes ? [(signal: AbortSignal) => runTranscriber(project, host, { ...shared, signal, began })] : []),
      ]);
    };
    let damage: Unusable | undefined;
    do {
      if (damage) await clock.sleep(renewal, signal);
      const met = damage;
      const database = await patiently(() => openStore(state, host, clock.now(), log, met), signal);
      damage = await live(database)
        .then(() => undefined, damageOf)
        .finally(() => database.close());
    } while (damage);
  } catch (error) {
    if (!signal.aborted) log(`cannot go on: ${reason(error)}`);
    throw error;
  } finally {
    lock.release();
  }
}

/** What a host ended with, where it is that its store is damaged: then it goes on with another one. Throws any other error. */
function damageOf(error: unknown): Unusable {
  if (error instanceof Unusable) return error;
  throw error;
}

/** How long a host waits before it begins another store, in milliseconds: a disk that damages every file must not be filled with them. */
const renewal = 1000;

/** A state that was deleted or replaced under a host is no place to be durable in: the host ends, and whoever starts it again begins anew. */
async function watchLock(
  lock: Lock,
  { state, host, clock, signal }: { state: string; host: string; clock: Clock; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    if (!lock.held())
      throw new UserError(`${join(state, host)} was deleted or replaced while ${host} was up: start it again`);
    await clock.sleep(lockInterval, signal);
  }
}

/** How often a host looks whether its state is still there, in milliseconds. */
const lockInterval = 1000;

const reportOf = ({ active, epoch, complete, trouble, verified }: TranscriberState): TranscriberReport => ({
  ...{ active, epoch, complete, trouble, verified },
});

type OnMachine = Pick<HostOptions, "machineOf" | "compareDaemon" | "fullEvery" | "ran">;

const acting = (project: Project, host: string): OnMachine => ({
  machineOf: () => realMachine({ scratch: scratchFolder(project.state, host) }),
  compareDaemon: async (service, table, signal) =>
    // What it would log is that something is done, and nothing is.
    inNumbers(await serviceDifference(project, host, service, table, { signal, log: () => {} })),
});

/** The machines of a host that only looks, one per service, and what becomes of what each run would have changed. */
function looking(
  host: string,
  services: Services["services"],
  database: DatabaseSync,
  { show }: NonNullable<UpOptions["dry"]>,
): OnMachine {
  const machines = new Map([...services.keys()].map((service) => [service, lookedAt(realMachine())]));
  const shown = new Map<string, string>();
  return {
    machineOf: (service) => machines.get(service)?.machine ?? realMachine(),
    fullEvery: lookEvery,
    ran(service) {
      const noted = machines.get(service)?.take();
      const { refused, refusedCount } = serviceReport(database, service);
      const kept = refused.map(({ key, why }) => ({ key, why }));
      const text = JSON.stringify([noted, kept, refusedCount]);
      if (!noted || shown.get(service) === text) return;
      shown.set(service, text);
      const definition = services.get(service);
      const secret = definition && "table" in definition ? (definition.table.secret ?? []).length > 0 : false;
      show(host, service, { noted, secret, kept, keptCount: refusedCount });
    },
  };
}
