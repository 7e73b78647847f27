import type { StoredEntry } from "../../core/directory/entry.ts";
import type { DirectoryState } from "../../core/stream/messages.ts";
import type { KnownEntry } from "../../ports/directory.ts";
import { takeOver } from "../take-over.ts";
import type { MessageReader } from "./message-reader.ts";
import { answers, readResult, refuseAnswer } from "./result.ts";
import { csnsOf, readSyncInfo, syncInfoOid } from "./sync-controls.ts";
import type { SyncEntry } from "./sync-search.ts";
import type { Message } from "./wire.ts";

/** The most entries and bytes of a content: more does not fit a machine's memory. */
const most = { entries: 5_000_000, bytes: 4 * 1024 ** 3 };

/** The number of entries between two lines of the log. */
const progressStep = 10_000;

/** The whole content, as a refresh gives it. */
export interface Whole {
  readonly entries: readonly StoredEntry[];
  /** The state of the directory; empty if the server does not send it. */
  readonly state: DirectoryState;
}

/** Reads a refresh to its end. A refresh that breaks throws, and changes nothing. */
export async function readWhole(
  messages: MessageReader,
  id: number,
  read: (message: Message) => SyncEntry,
  { log, known }: { readonly log: (line: string) => void; readonly known?: KnownEntry | undefined },
): Promise<Whole> {
  const entries = new Map<string, StoredEntry>();
  let bytes = 0;
  let state: DirectoryState = [];
  for (;;) {
    const message = await messages.next();
    bytes += message.size; // those of others too: else a refresh of nothing but them never ends
    if (entries.size > most.entries || bytes > most.bytes) {
      throw new Error(
        `more than ${most.entries} entries or ${most.bytes} bytes: too much to hold in memory; set directory.base or directory.filter`,
      );
    }
    if (message.id !== id) continue;
    if (message.operation === answers.entry) {
      const { state: what, entry: found } = read(message);
      const entry = takeOver(found, known);
      const { uuid } = entry; // the text of the known entry, which is thus in memory once
      if (what === "delete") entries.delete(uuid);
      else if (what === "present")
        throw new Error("the server speaks no RFC 4533: it reports an unchanged entry in a whole content");
      else entries.set(uuid, entry);
      if (what !== "delete" && entries.size % progressStep === 0) log(`the directory: ${entries.size} entries read…`);
    } else if (message.operation === answers.intermediate) {
      const info = readInfo(message);
      if (!info) continue;
      for (const uuid of info.gone ? info.uuids : []) entries.delete(uuid);
      if (info.cookie !== undefined) state = csnsOf(info.cookie);
      if (info.refreshDone) return { entries: [...entries.values()], state };
    } else if (message.operation === answers.done) {
      readResult(message.body);
      throw new Error("the server ended the search that it was to keep open");
    } else if (message.operation !== answers.reference) refuseAnswer(message);
  }
}

/** The sync info message in an intermediate response (RFC 4511, 4.13); undefined for one of another kind. */
export function readInfo({ body }: Message) {
  const type = body.tag === 0x80 ? body.text("the name of an intermediate response", 0x80) : "";
  if (type !== syncInfoOid || body.tag !== 0x81) return undefined;
  return readSyncInfo(body.bytes(0x81, "a sync info message"));
}
