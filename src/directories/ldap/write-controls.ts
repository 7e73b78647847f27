import { BerWriter } from "ldapts";
import { BerReader } from "../../core/util/ber.ts";
import { entryReader, type FoundEntry } from "./entry.ts";
import { equals, type RequestControl } from "./requests.ts";

/** The controls by which a write returns the entry before and after, and is refused if the entry has changed. */

const preReadOid = "1.3.6.1.1.13.1";
const postReadOid = "1.3.6.1.1.13.2";
const assertionOid = "1.3.6.1.1.12";

/** Requests the entry before a write, and after it (RFC 4527). Critical: a server without them makes no write. */
export const readBefore: RequestControl = { type: preReadOid, critical: true, value: selection() };
export const readAfter: RequestControl = { type: postReadOid, critical: true, value: selection() };

function selection(): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeStringArray(["*", "entryUUID", "entryCSN", "entryDN"]);
  writer.endSequence();
  return writer.buffer;
}

/** Makes a write conditional on this entryCSN (RFC 4528); the result is 122 if the entry has another one. */
export function assertCsn(csn: string): RequestControl {
  const writer = new BerWriter();
  equals("entryCSN", csn)(writer);
  return { type: assertionOid, critical: true, value: writer.buffer };
}

/** The entries in an answer: before the write and after it. */
export function entriesRead(controls: ReadonlyMap<string, Buffer>): { before?: FoundEntry; after?: FoundEntry } {
  const [before, after] = [preReadOid, postReadOid].map((oid) => {
    const value = controls.get(oid);
    if (!value || value.length === 0) return undefined;
    // RFC 4527 wants a SearchResultEntry with its own tag; OpenLDAP sends it so, others as a plain SEQUENCE.
    const reader = new BerReader(value);
    return entryReader()(reader.inside(reader.tag ?? 0, "an entry that was read"));
  });
  return { ...(before && { before }), ...(after && { after }) };
}
