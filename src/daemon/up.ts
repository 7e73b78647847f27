import { transcribersOf } from "../core/config.ts";
import { reason } from "../core/outcome.ts";
import { runHost } from "../host/host.ts";
import { realMachine } from "../machines/real.ts";
import type { Clock } from "../ports/clock.ts";
import type { Machine } from "../ports/machine.ts";
import { loadServices, type Project } from "../project/project.ts";
import { patiently } from "../sqlite/open.ts";
import { connectBroker } from "./broker.ts";
import { systemClock } from "./clock.ts";
import { lockHost, openStore } from "./store-file.ts";
import { runTranscriber } from "./transcriber.ts";

export interface UpOptions {
  /** The hosts of the config to be. */
  readonly hosts: readonly string[];
  readonly signal: AbortSignal;
  log(line: string): void;
  readonly clock?: Clock;
  readonly machine?: Machine;
}

/** Runs hosts of a project until the signal. One that cannot run stops them all, with its reason. */
export async function up(project: Project, options: UpOptions): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const running = options.hosts.map((host) =>
    upHost(project, host, { ...options, signal }).catch((error) => {
      failed.abort(error);
      throw error;
    }),
  );
  const ended = await Promise.allSettled(running);
  const failure = ended.find((outcome) => outcome.status === "rejected");
  // Who is told to stop and does has not failed, also while it still starts.
  if (failure && failure.reason !== options.signal.reason) throw failure.reason;
}

async function upHost(project: Project, host: string, options: UpOptions): Promise<void> {
  const { signal, clock = systemClock, machine = realMachine() } = options;
  const { config, state } = project;
  const log = (line: string): void => options.log(`${host}: ${line}`);
  const lock = await lockHost(state, host, clock, signal);
  try {
    const own = config.hosts.get(host) ?? [];
    const { services, codes } = await loadServices(project, own);
    const database = await patiently(() => openStore(state, host, clock.now(), log), signal);
    try {
      log(`up with ${own.join(", ") || "no service"}`);
      const connect = () => connectBroker(project, log);
      const shared = { database, clock, signal, log };
      await Promise.all([
        runHost({ ...shared, name: host, services, codes, machine, connect }),
        transcribersOf(config).includes(host) ? runTranscriber(project, host, { ...shared, connect }) : undefined,
      ]);
    } finally {
      database.close();
    }
  } catch (error) {
    if (!signal.aborted) log(`cannot go on: ${reason(error)}`);
    throw error;
  } finally {
    lock.release();
  }
}
