import { servicesOf } from "../core/config/config.ts";
import type { StoredEntry } from "../core/directory/entry.ts";
import { type Schema, schemaOf } from "../core/directory/schema.ts";
import type { Table } from "../core/service/service.ts";
import { readDirectoryOnce } from "../daemon/directory.ts";
import { loadServices, type Project } from "../project/project.ts";
import { type Transcription, transcription } from "../transcriber/tables/transcription.ts";

/** The tables of a project, computed here from its directory as it is now. Nothing is published. */
export interface Tables {
  readonly services: ReadonlyMap<string, Table>;
  readonly entries: readonly StoredEntry[];
  /** The schema of the server; undefined without one, or if the server hides it. */
  readonly schema: Schema | undefined;
  readonly transcription: Transcription;
}

/** Computes the tables of the named services, or of all that have one. */
export async function computeTables(project: Project, now: number, names?: readonly string[]): Promise<Tables> {
  const loaded = await loadServices(project, names ?? servicesOf(project.config));
  const services = new Map<string, Table>();
  for (const [name, service] of loaded.services) if ("table" in service) services.set(name, service.table);
  const { entries, requested } = await readDirectoryOnce(project);
  const tables = transcription(services, project.config);
  tables.refresh(entries, now, requested);
  const schema = requested?.types && schemaOf(requested.types);
  return { services, entries, schema, transcription: tables };
}
