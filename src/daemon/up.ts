import { rmSync } from "node:fs";
import { transcribersOf } from "../core/config/config.ts";
import { userOf } from "../core/config/permissions.ts";
import { mayBeEmptied, removalsAllowed } from "../core/config/removals.ts";
import { onlyTranscribers, plainSenders } from "../core/config/senders.ts";
import { waveWithin } from "../core/config/waves.ts";
import { reportOf } from "../core/stream/transcriber-state.ts";
import { reason } from "../core/util/errors.ts";
import { runHost } from "../host/host.ts";
import type { HostOptions } from "../host/options.ts";
import type { HostStore } from "../host/store/host-store.ts";
import { realMachine } from "../machines/real.ts";
import type { Broker } from "../ports/broker.ts";
import type { Clock } from "../ports/clock.ts";
import { loadServices, type Project } from "../project/project.ts";
import type { Transcriber } from "../transcriber/transcriber.ts";
import { connectBroker } from "./broker.ts";
import { systemClock } from "./clock.ts";
import { concurrently } from "./concurrently.ts";
import { removeLeftCopies } from "./copies.ts";
import { inNumbers, serviceDifference } from "./diff.ts";
import { type DryOptions, dryMachines } from "./dry-run.ts";
import { openTrust } from "./keys.ts";
import { serveOrders } from "./order-socket.ts";
import { sharedBroker } from "./shared-broker.ts";
import { keptFolder, lockHost, scratchFolder } from "./store-file.ts";
import { runTranscriber } from "./transcriber.ts";
import { watchLock } from "./watch-lock.ts";
import { withStore } from "./with-store.ts";

/** Options of `up`. */
export interface UpOptions {
  /** The hosts of the config that run in this process. */
  readonly hosts: readonly string[];
  readonly signal: AbortSignal;
  log(line: string): void;
  /** The password of RabbitMQ from the environment, if any. */
  readonly brokerPassword?: string | undefined;
  /** The clock of the hosts: the system's by default. */
  readonly clock?: Clock;
  /** Present if the hosts are dry. */
  readonly dry?: DryOptions;
}

/** Runs hosts of a project until the signal. A host that cannot run stops the others, and its error is thrown. */
export async function up(project: Project, options: UpOptions): Promise<void> {
  const connect = sharedBroker(() => connectBroker(project, { log: options.log, password: options.brokerPassword }));
  const task = (host: string) => (signal: AbortSignal) => upHost(project, host, { ...options, signal, connect });
  await concurrently(options.signal, options.hosts.map(task));
}

async function upHost(
  project: Project,
  host: string,
  { signal, clock = systemClock, dry, connect, ...options }: UpOptions & { connect(): Promise<Broker> },
): Promise<void> {
  const { config, state } = project;
  const log = (line: string): void => options.log(`${host}: ${line}`);
  const lock = await lockHost(state, host, clock, signal);
  try {
    removeLeftCopies(state, host);
    rmSync(scratchFolder(state, host), { recursive: true, force: true });
    const own = config.hosts.get(host) ?? [];
    const { services, codes } = await loadServices(project, own);
    const distrust = openTrust(project, log);

    const run = (store: HostStore): Promise<void> => {
      log(`up with ${own.join(", ") || "no service"}`);
      let transcriber: Transcriber | undefined;
      const began = (one: Transcriber): void => {
        transcriber = one;
      };
      const transcribes = transcribersOf(config).includes(host);
      const base = { store, clock, log, connect };
      return concurrently(signal, [
        (signal) => watchLock(lock, { state, host, clock, signal }),
        (signal) =>
          runHost({
            ...{ name: host, services, codes, signal, ...base },
            ...rulesOf(project, host),
            ...(dry ? dryMachines(host, services, store, dry) : realMachines(project, host)),
            ...(distrust && { distrust }),
            serveOrders: (obey, signal) => serveOrders(state, host, obey, signal),
            ...(transcribes && {
              transcriber: () => transcriber && reportOf(transcriber.state()),
              verifyDirectory(at) {
                transcriber?.verify(at);
                return transcriber !== undefined;
              },
            }),
          }),
        ...(transcribes ? [(signal: AbortSignal) => runTranscriber(project, host, { ...base, signal, began })] : []),
      ]);
    };
    await withStore({ state, host, clock, signal, log }, run);
  } catch (error) {
    if (!signal.aborted) log(`cannot continue: ${reason(error)}`);
    throw error;
  } finally {
    lock.release();
  }
}

/** The rules of the config for one host. */
const rulesOf = (
  { config }: Project,
  host: string,
): Pick<HostOptions, "removalLimit" | "mayEmpty" | "waveWithin" | "wrongTranscriber" | "wrongPlainSender"> => ({
  removalLimit: (service, rows) => removalsAllowed(config.removals, service, rows),
  mayEmpty: (service) => mayBeEmptied(config.removals, service),
  waveWithin: (service) => waveWithin(config.waves, service, host),
  wrongTranscriber: onlyTranscribers(config, host, config.broker && userOf(config.broker.url)),
  // The embedded broker knows no users: all of its clients are this machine's own.
  ...(config.broker && { wrongPlainSender: plainSenders(config) }),
});

/** The machine of a host that is not dry, and the comparison of its daemons with the rows. */
const realMachines = (project: Project, host: string): Pick<HostOptions, "machineOf" | "compareDaemon"> => ({
  machineOf: () => realMachine({ scratch: scratchFolder(project.state, host), kept: keptFolder(project.state, host) }),
  compareDaemon: async (service, table, signal) =>
    // The log lines of a comparison would report changes, and it makes none.
    inNumbers(await serviceDifference(project, host, service, table, { signal, log: () => {} })),
});
