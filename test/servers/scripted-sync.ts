import { BerWriter } from "ldapts";
import { request } from "../../src/directories/ldap/requests.ts";
import { syncInfoOid, syncRequestOid, syncStateOid } from "../../src/directories/ldap/sync-controls.ts";
import { entryFound, resultOf, scriptedLdap } from "./scripted-ldap.ts";

/** What a directory says of its synchronization (RFC 4533), for what no real server can be brought to say when a test wants it. */

export const base = "dc=campus,dc=example";

/** An entry of which something is said. */
export interface Said {
  readonly name: string;
  /** The number that its entryUUID is. */
  readonly uuid: number;
  readonly parent?: boolean;
}

const states = { present: 0, add: 1, modify: 2, delete: 3 } as const;
const uuidOf = (uuid: number): Buffer => Buffer.from(uuid.toString(16).padStart(32, "0"), "hex");
const dnOf = (name: string): string => (name === "" ? base : `${name},${base}`);

/** A message about one entry, to the search of a number. */
export function saysOf(state: keyof typeof states, { name, uuid, parent = false }: Said, search = 2): Buffer {
  const attributes = { objectClass: ["top"], hasSubordinates: [parent ? "TRUE" : "FALSE"] };
  const value = written((writer) => {
    writer.startSequence();
    writer.writeEnumeration(states[state]);
    writer.writeBuffer(uuidOf(uuid), 0x04);
    writer.endSequence();
  });
  const told = state === "present" || state === "delete" ? {} : attributes;
  return entryFound(search, dnOf(name), told, [{ type: syncStateOid, critical: false, value }]);
}

/** That the refresh is over. */
export const refreshed = info((writer) => {
  writer.startSequence(0xa1);
  writer.writeString("rid=000,csn=20261122114309.340073Z#000000#000#000000");
  writer.writeBoolean(true);
  writer.endSequence();
});

/** That these entries are gone, by their ids alone. */
export const saysGone = (...uuids: number[]): Buffer =>
  info((writer) => {
    writer.startSequence(0xa3);
    writer.writeBoolean(true);
    writer.startSequence(0x31);
    for (const uuid of uuids) writer.writeBuffer(uuidOf(uuid), 0x04);
    writer.endSequence();
    writer.endSequence();
  });

/** A server whose content is the base and these, which says something live in one piece, and answers the search of a subtree. */
export function scriptedSync({
  content = [],
  live = [],
  subtree = [],
}: {
  readonly content?: readonly Buffer[];
  readonly live?: readonly Buffer[];
  readonly subtree?: readonly Buffer[];
}) {
  const top = saysOf("add", { name: "", uuid: 1, parent: true });
  const dse = entryFound(1, "", { supportedControl: [syncRequestOid], objectClass: ["OpenLDAProotDSE"] });
  const answers = [
    [dse, resultOf(1, 0x65)],
    [top, ...content, refreshed, Buffer.concat(live)],
    [...subtree, resultOf(3, 0x65)],
  ];
  return scriptedLdap((asked) => answers[asked - 1] ?? []);
}

function info(write: (writer: BerWriter) => void): Buffer {
  return request(2, (writer) => {
    writer.startSequence(0x79);
    writer.writeString(syncInfoOid, 0x80);
    writer.writeBuffer(written(write), 0x81);
    writer.endSequence();
  });
}

function written(write: (writer: BerWriter) => void): Buffer {
  const writer = new BerWriter();
  write(writer);
  return writer.buffer;
}
