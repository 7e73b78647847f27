import { existsSync, statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { transcribersOf } from "../core/config/config.ts";
import type { StoredEntry } from "../core/directory/entry.ts";
import { UserError } from "../core/util/errors.ts";
import { type Seeded, seed } from "../directories/events/seed.ts";
import { eventDirectory, prepare, readEventContent } from "../directories/events/source.ts";
import { readContent } from "../directories/ldif/content.ts";
import type { Clock } from "../ports/clock.ts";
import type { EventDirectory } from "../ports/directory.ts";
import type { Project } from "../project/project.ts";
import { openDatabase, retryWhileBusy } from "../sqlite/open.ts";
import { openIntact } from "../sqlite/open-intact.ts";
import { readLdif } from "./read-file.ts";
import { directoryFile } from "./store-file.ts";

/** The directory of a config that names none: made of events, and kept beside the store of the one host that transcribes. */

interface Waits {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  log(line: string): void;
}

/** Opens the directory of events for the host that transcribes; undefined if the config names a directory. */
export async function openEventDirectory(
  { config, state }: Project,
  host: string,
  waits: Waits,
): Promise<(EventDirectory & Disposable) | undefined> {
  if (config.directory) return undefined;
  const database = await openFile(directoryFile(state, host), waits);
  const directory = await retryWhileBusy(() => eventDirectory({ database, clock: waits.clock }), waits.signal);
  return { ...directory, [Symbol.dispose]: () => database.close() };
}

/** The file of the directory of events, on the machine of the only host that transcribes. */
export function eventDirectoryFile({ config, state }: Project): string {
  const [host = ""] = transcribersOf(config);
  return directoryFile(state, host);
}

/** The present content of the directory of events. Throws a `UserError` if it was never seeded. */
export function eventContent(project: Project): StoredEntry[] {
  const file = eventDirectoryFile(project);
  const none = new UserError(
    `${file}: the directory that is made of events was never seeded: \`trigger seed FILE.ldif\``,
  );
  if (!existsSync(file)) throw none;
  const database = openDatabase(file, { readOnly: true });
  try {
    const entries = readEventContent(database);
    if (!entries) throw none;
    return entries;
  } finally {
    database.close();
  }
}

/**
 * Makes an LDIF file the whole content of the directory of events, also while the host that transcribes is up.
 * `exported` is the time of the export: the file's own date by default.
 */
export async function seedEventDirectory(
  project: Project,
  file: string,
  { exported = statSync(file).mtimeMs, ...waits }: Waits & { readonly exported?: number | undefined },
): Promise<Seeded> {
  const entries = readContent(readLdif(file), file);
  const database = await openFile(eventDirectoryFile(project), waits);
  try {
    return await retryWhileBusy(() => seed(database, entries, exported, waits.clock.now()), waits.signal);
  } finally {
    database.close();
  }
}

function openFile(file: string, { clock, signal, log }: Waits): Promise<DatabaseSync> {
  const lost = (line: string): void => log(`the directory made of events ${line}`);
  const open = (now: number) => openIntact(file, (database) => prepare(database, now), { now, lost }).database;
  return retryWhileBusy(() => open(clock.now()), signal);
}
