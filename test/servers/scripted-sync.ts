import { BerWriter } from "ldapts";
import { request } from "../../src/directories/ldap/requests.ts";
import { syncInfoOid, syncRequest, syncRequestOid, syncStateOid } from "../../src/directories/ldap/sync-controls.ts";
import { entryFound, resultOf, scriptedLdap } from "./scripted-ldap.ts";

/** Messages of a directory's synchronization (RFC 4533) that no real server sends at the moment that a test needs. */

export const base = "dc=campus,dc=example";

/** A message to the search of a number. */
type Answer = (search: number) => Buffer;

/** An entry in a message of the server. */
export interface Said {
  readonly name: string;
  /** The number from which its entryUUID is made. */
  readonly uuid: number;
  readonly parent?: boolean;
  readonly attributes?: Readonly<Record<string, readonly string[]>>;
}

/** A message of the server. */
export interface Script {
  /** Its content, beside the base. */
  readonly content?: readonly Answer[];
  /** Messages that follow in one piece. */
  readonly live?: readonly Answer[];
  /** The answer to each search of a subtree or of an entry alone. */
  readonly subtree?: readonly Answer[];
  /** The whole answer to such a search; `live` is the number of the search for changes. */
  readonly reading?: (id: number, asked: string, live: number) => readonly Buffer[];
}

const states = { present: 0, add: 1, modify: 2, delete: 3 } as const;
const uuidOf = (uuid: number): Buffer => Buffer.from(uuid.toString(16).padStart(32, "0"), "hex");
const dnOf = (name: string): string => (name === "" ? base : `${name},${base}`);

/** A message about one entry. */
export function saysOf(state: keyof typeof states, { name, uuid, parent = false, attributes: more }: Said): Answer {
  const attributes = { objectClass: ["top"], ...more, hasSubordinates: [parent ? "TRUE" : "FALSE"] };
  const value = written((writer) => {
    writer.startSequence();
    writer.writeEnumeration(states[state]);
    writer.writeBuffer(uuidOf(uuid), 0x04);
    writer.endSequence();
  });
  const told = state === "present" || state === "delete" ? {} : attributes;
  return (search) => entryFound(search, dnOf(name), told, [{ type: syncStateOid, critical: false, value }]);
}

/** The message that the refresh is complete. */
export const refreshed = info((writer) => {
  writer.startSequence(0xa1);
  writer.writeString("rid=000,csn=20261122114309.340073Z#000000#000#000000");
  writer.writeBoolean(true);
  writer.endSequence();
});

/** The message that entries are gone, by their ids alone. */
export const saysGone = (...uuids: number[]): Answer =>
  info((writer) => {
    writer.startSequence(0xa3);
    writer.writeBoolean(true);
    writer.startSequence(0x31);
    for (const uuid of uuids) writer.writeBuffer(uuidOf(uuid), 0x04);
    writer.endSequence();
    writer.endSequence();
  });

/** A server that plays a script, or one script for each search for changes, numbered from 1. */
export function scriptedSync(script: Script | ((session: number) => Script)) {
  const top = saysOf("add", { name: "", uuid: 1, parent: true });
  const dse = { supportedControl: [syncRequestOid], objectClass: ["OpenLDAProotDSE"] };
  const refreshOnly = syncRequest("refreshOnly");
  let sessions = 0;
  let live = 0;
  return scriptedLdap((id, asked) => {
    const isChanges = asked.includes(syncRequestOid) && !asked.includes(refreshOnly);
    if (isChanges) [sessions, live] = [sessions + 1, id];
    const says = typeof script === "function" ? script(sessions) : script;
    const said = (answers: readonly Answer[]): Buffer[] => answers.map((answer) => answer(id));
    if (asked.includes(refreshOnly)) {
      return says.reading?.(id, asked.toString("latin1"), live) ?? [...said(says.subtree ?? []), resultOf(id, 0x65)];
    }
    if (isChanges) {
      return [...said([top, ...(says.content ?? []), refreshed]), Buffer.concat(said(says.live ?? []))];
    }
    return asked.includes("supportedControl") ? [entryFound(id, "", dse), resultOf(id, 0x65)] : [resultOf(id, 0x65)];
  });
}

function info(write: (writer: BerWriter) => void): Answer {
  const value = written(write);
  return (search) =>
    request(search, (writer) => {
      writer.startSequence(0x79);
      writer.writeString(syncInfoOid, 0x80);
      writer.writeBuffer(value, 0x81);
      writer.endSequence();
    });
}

function written(write: (writer: BerWriter) => void): Buffer {
  const writer = new BerWriter();
  write(writer);
  return writer.buffer;
}
