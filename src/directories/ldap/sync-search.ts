import { alwaysRead } from "../../core/config/directory-config.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import type { Connection } from "./connection.ts";
import { entryReader } from "./entry.ts";
import { search } from "./requests.ts";
import {
  readSyncState,
  type SyncMode,
  type SyncState,
  syncRequest,
  syncRequestOid,
  syncStateOid,
} from "./sync-controls.ts";
import type { Message } from "./wire.ts";

/** The part of a directory that is read. */
export interface Wanted {
  /** The filter that matches every entry, for a server without the empty "and" of RFC 4526. */
  readonly everything?: string | undefined;
  readonly base: string;
  readonly filter?: string;
  /** The attributes to read; by default all that users write. */
  readonly attributes?: readonly string[];
}

// Referrals and glue entries are entries too (RFC 3296); without them their subtrees would have no parent.
const manageDsaIt = { type: "2.16.840.1.113730.3.4.2", critical: false };

/** The attributes that are asked for. */
export const attributesOf = ({ attributes = ["*"] }: Wanted): readonly string[] => [...attributes, ...alwaysRead];

/**
 * Requests the subtree of a DN, or its entry alone, by content synchronization; returns the message number of the search.
 */
export function sendSyncSearch(
  connection: Connection,
  wanted: Wanted,
  base: string,
  mode: SyncMode,
  scope: "base" | "sub" = "sub",
): number {
  const { everything, filter = everything } = wanted;
  const request = {
    base,
    scope,
    filter,
    attributes: [...attributesOf(wanted), "hasSubordinates"],
  } as const;
  const sync = { type: syncRequestOid, critical: true, value: syncRequest(mode) };
  return connection.send(search(request), [sync, manageDsaIt]);
}

/** An entry of a search by content synchronization. */
export interface SyncEntry extends SyncState {
  readonly entry: StoredEntry;
  /** True if the server says that entries are below it; undefined if it says nothing. */
  readonly parent: boolean | undefined;
}

/** Reads the entries of one connection. */
export function syncEntryReader(): (message: Message) => SyncEntry {
  const read = entryReader();
  return ({ body, controls }) => {
    const control = controls.get(syncStateOid);
    if (!control) throw new Error("the server speaks no RFC 4533: it sends an entry without its sync state");
    const sync = readSyncState(control);
    const { dn, attributes, parent } = read(body);
    return { ...sync, parent, entry: { uuid: sync.uuid, dn, attributes } };
  };
}
