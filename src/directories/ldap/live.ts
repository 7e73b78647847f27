import { setImmediate as nextTurn } from "node:timers/promises";
import type { StoredEntry } from "../../core/directory/entry.ts";
import type { DirectoryState } from "../../core/stream/messages.ts";
import type { SourceChange } from "../../ports/directory.ts";
import type { Delivered } from "./delivered.ts";
import { ReadAgain } from "./read-again.ts";
import { readInfo } from "./refresh.ts";
import { answers, readResult, refuseAnswer } from "./result.ts";
import { laterState } from "./state.ts";
import { readSubtree, type SubtreeParts } from "./subtree.ts";
import { csnsOf } from "./sync-controls.ts";
import type { UnreportedWrites } from "./unreported.ts";

/** The most entries in one change. Hosts get a change in one message. */
const mostTogether = 500;

/**
 * Delivers the changes of a directory after its refresh, in its order. Messages that have arrived together are one
 * change if that cannot alter the outcome. Such are entries that keep their names or appear without a subtree, or a run
 * of deletions.
 */
export async function* readLive(
  parts: SubtreeParts & { readonly id: number; readonly delivered: Delivered; readonly unreported: UnreportedWrites },
  start: DirectoryState,
): AsyncGenerator<SourceChange> {
  const { messages, id, delivered, unreported, read } = parts;
  let state = start;
  let put = new Map<string, StoredEntry>();
  let removed: string[] = [];
  const gathered = (): SourceChange => {
    const change = { kind: "change", put: [...put.values()], removed, state } as const;
    [put, removed] = [new Map(), []];
    return change;
  };

  for (;;) {
    // Over TLS each message is an event of its own: only the next turn of the event loop shows further ones. The broker
    // of the reader gets its turn between changes, too, even if a server sends many in a row.
    if (put.size + removed.length > 0 && !messages.more) await nextTurn();
    const size = put.size + removed.length;
    if (size > 0 && (!messages.more || size >= mostTogether)) {
      yield gathered();
      await nextTurn();
    }
    const message = await messages.next();
    if (message.id !== id) {
      if (put.size + removed.length > 0) yield gathered(); // the message is compared with the known entries
      for (const entry of await unreported.take(message)) put.set(entry.uuid, entry);
      continue;
    }
    if (message.operation === answers.done) {
      readResult(message.body);
      throw new Error("the server ended the search that it was to keep open");
    }
    if (message.operation === answers.intermediate) {
      const info = readInfo(message);
      if (!info) continue;
      if (info.uuids.length > 0 && !info.gone) throw new ReadAgain("the server began another refresh");
      if (info.uuids.length > 0 && put.size > 0) yield gathered();
      for (const uuid of info.uuids) {
        unreported.noteRemoved(uuid);
        delivered.delete(uuid);
      }
      removed.push(...info.uuids);
      state = laterState(state, csnsOf(info.cookie));
      continue;
    }
    if (message.operation === answers.reference) continue;
    if (message.operation !== answers.entry) refuseAnswer(message);
    const { state: what, uuid, entry, cookie, parent } = read(message);
    if (what === "present") throw new ReadAgain("the server began another refresh");
    if (what === "delete") {
      if (put.size > 0) yield gathered();
      unreported.noteRemoved(uuid, entry.dn);
      delivered.delete(uuid);
      removed.push(uuid);
    } else {
      const place = delivered.put(uuid, entry.dn);
      const appeared = (what === "add" || place === "new") && parent !== false;
      if (removed.length > 0 || (put.size > 0 && (appeared || place === "renamed"))) yield gathered();
      unreported.noteReported(uuid, entry.dn);
      put.set(uuid, entry);
      for (const below of appeared ? await readSubtree(parts, entry) : []) {
        unreported.noteReported(below.uuid, below.dn);
        delivered.put(below.uuid, below.dn);
        put.set(below.uuid, below);
      }
    }
    state = laterState(state, csnsOf(cookie));
  }
}
