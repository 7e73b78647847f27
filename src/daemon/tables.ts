import { servicesOf } from "../core/config.ts";
import type { StoredEntry } from "../core/entry.ts";
import type { Table } from "../core/service.ts";
import { readContent } from "../directories/ldif/content.ts";
import { loadServices, type Project } from "../project/project.ts";
import { type Transcription, transcription } from "../transcriber/transcription.ts";
import { eventContent } from "./event-directory.ts";
import { readFile } from "./read-file.ts";

/** The tables of a project as its directory makes them now, computed here and told to nobody: for `plan` and `try`. */
export interface Tables {
  readonly services: ReadonlyMap<string, Table>;
  readonly entries: readonly StoredEntry[];
  readonly transcription: Transcription;
}

/** Computes the tables of the services that are named (all that have one, otherwise). */
export async function computeTables(project: Project, now: number, names?: readonly string[]): Promise<Tables> {
  const loaded = await loadServices(project, names ?? servicesOf(project.config));
  const services = new Map<string, Table>();
  for (const [name, service] of loaded.services) if ("table" in service) services.set(name, service.table);
  const { config, ldifFile } = project;
  const entries = config.directory ? readContent(readFile(ldifFile), ldifFile) : eventContent(project);
  const tables = transcription(services, { timezone: project.config.timezone });
  tables.refresh(entries, now);
  return { services, entries, transcription: tables };
}
