import type { DatabaseSync } from "node:sqlite";
import { servicesOf } from "../core/config/config.ts";
import { userOf } from "../core/config/permissions.ts";
import type { Table } from "../core/service/service.ts";
import { persist } from "../core/util/persist.ts";
import type { Broker } from "../ports/broker.ts";
import type { Clock } from "../ports/clock.ts";
import { loadServices, type Project } from "../project/project.ts";
import { type Transcriber, transcribe } from "../transcriber/transcriber.ts";
import { openDirectory } from "./directory.ts";
import { openEventDirectory } from "./event-directory.ts";
import { openSigner } from "./keys.ts";
import { forgetTranscriberState, keepReport, keepTranscriberState } from "./network.ts";

/** How often the transcriber's state is written for `trigger status`, when it moved; milliseconds. */
const statePace = 500;

export interface TranscriberParts {
  readonly database: DatabaseSync;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  log(line: string): void;
  connect(): Promise<Broker>;
  /** From now on it can be asked how it is. */
  began(transcriber: Transcriber): void;
}

/** Runs the transcriber of a host until the signal; what it hears and says of itself goes into the host's store. */
export async function runTranscriber(project: Project, host: string, parts: TranscriberParts): Promise<void> {
  const { database, clock, signal, log, connect, began } = parts;
  const stateNote = "the transcriber's state for `trigger status`";
  await persist(stateNote, async () => forgetTranscriberState(database), { clock, signal, log });
  const { services, codes } = await loadServices(project, servicesOf(project.config));
  const tables = new Map<string, Table>();
  for (const [name, service] of services) if ("table" in service) tables.set(name, service.table);
  const sign = openSigner(project, log);
  using kept = await openEventDirectory(project, host, parts);
  const broker = await connect();

  async function noteState(transcriber: Transcriber): Promise<void> {
    for (let written = ""; !signal.aborted; await clock.sleep(statePace, signal)) {
      const state = JSON.stringify(transcriber.state());
      if (state === written) continue;
      // A disk that is full must not stop the transcriber: it only makes `trigger status` old.
      const note = async () => keepTranscriberState(database, transcriber.state());
      await persist(stateNote, note, { clock, signal, log });
      written = state;
    }
  }

  try {
    const transcriber = transcribe({
      host,
      config: project.config,
      services: tables,
      codes,
      source: kept ?? openDirectory(project, { clock, log }),
      ...(kept && { events: kept }),
      broker,
      brokerUser: project.config.broker && userOf(project.config.broker.url),
      clock,
      random: Math.random,
      log,
      sign,
      onReport: (report) => keepReport(database, { ...report, heard: clock.now() }),
      signal,
    });
    began(transcriber);
    await Promise.all([transcriber.done, noteState(transcriber)]);
  } finally {
    await broker.close();
  }
}
