import { servicesOf } from "../core/config/config.ts";
import { userOf } from "../core/config/permissions.ts";
import type { Table } from "../core/service/service.ts";
import type { Broker } from "../ports/broker.ts";
import { loadServices, type Project } from "../project/project.ts";
import { type Transcriber, transcribe } from "../transcriber/transcriber.ts";
import { openSource } from "./directory.ts";
import { openEventDirectory } from "./event-directory.ts";
import { openSigner } from "./keys.ts";
import { forgetState, noteState, type StateNotes } from "./note-state.ts";

/** The parts of a transcriber that its host provides. The reports it receives and its own state go into the host's store. */
export interface TranscriberParts extends StateNotes {
  connect(): Promise<Broker>;
  /** Takes the transcriber once its state can be asked for. */
  began(transcriber: Transcriber): void;
}

/** Runs the transcriber of a host until the signal. */
export async function runTranscriber(project: Project, host: string, parts: TranscriberParts): Promise<void> {
  const { store, clock, signal, log, connect, began } = parts;
  const { config } = project;
  await forgetState(parts);
  const { services, codes } = await loadServices(project, servicesOf(config));
  const tables = new Map<string, Table>();
  for (const [name, service] of services) if ("table" in service) tables.set(name, service.table);
  const sign = openSigner(project, log);
  using events = await openEventDirectory(project, host, parts);
  const broker = await connect();
  try {
    const transcriber = transcribe({
      ...{ host, config, services: tables, codes, broker, clock, log, sign, signal },
      source: events ?? openSource(project, { clock, log }),
      ...(events && { events }),
      brokerUser: config.broker && userOf(config.broker.url),
      random: Math.random,
      onReport: (report) => store.transcriber.keepReport({ ...report, heard: clock.now() }),
      onOrder: (order, user) => store.transaction(() => store.audit.ask(order, user, clock.now())),
      onAnswer: ({ host, order, way, outcome }, user) =>
        store.audit.answer({ host, order, user, way, at: clock.now(), outcome }),
    });
    began(transcriber);
    await Promise.all([transcriber.done, noteState(transcriber, parts)]);
  } finally {
    await broker.close();
  }
}
