import type { StoredEntry } from "../../core/directory/entry.ts";
import type { Connection } from "./connection.ts";
import type { MessageReader } from "./message-reader.ts";
import { ReadAgain } from "./read-again.ts";
import { ResultError } from "./result.ts";
import { type SyncEntry, sendSyncSearch, type Wanted } from "./sync-search.ts";
import type { Message } from "./wire.ts";

/** The most bytes before the end of an answer about a subtree: as much as a whole content. */
const mostBytes = 4 * 1024 ** 3;

/**
 * Reads the entries below a new entry: a server that moves a subtree into the base sends its top alone. The stream is
 * paused meanwhile, so the entries are delivered in order. If the new entry was moved since, the whole directory is
 * read again.
 */
export async function readSubtree(
  { connection, messages, wanted, read }: SubtreeParts,
  top: StoredEntry,
): Promise<readonly StoredEntry[]> {
  const id = sendSyncSearch(connection, wanted, top.dn, "refreshOnly");
  const { entries } = await messages.answersTo(id, mostBytes).catch((error) => {
    if (error instanceof ResultError && error.code === 32) throw new ReadAgain(`${top.dn} has moved on`);
    throw error;
  });
  const found = entries.map((message) => read(message).entry);
  // Another entry may have this name by now.
  if (found.some(({ uuid, dn }) => uuid !== top.uuid && dn === top.dn)) {
    throw new ReadAgain(`${top.dn} is another entry by now`);
  }
  return found.filter(({ uuid }) => uuid !== top.uuid);
}

export interface SubtreeParts {
  readonly connection: Connection;
  readonly messages: MessageReader;
  readonly wanted: Wanted;
  readonly read: (message: Message) => SyncEntry;
}
