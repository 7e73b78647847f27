import { attributeName, isBinary } from "../../core/directory/attributes.ts";
import type { Attributes, Value } from "../../core/directory/entry.ts";
import { type BerReader, octetString, sequence, set } from "../../core/util/ber.ts";

/** The body of a search result entry. */
export interface FoundEntry {
  readonly dn: string;
  readonly attributes: Attributes;
  /** True if the server says that entries are below it; undefined if it says nothing. */
  readonly parent: boolean | undefined;
}

/** Reads entries of one connection: a UTF-8 value as text, any other and `;binary` as bytes. */
export function entryReader(): (body: BerReader) => FoundEntry {
  const names = new Map<string, string>(); // a directory has few names of attributes, each many times
  const nameOf = (written: string): string => {
    let name = names.get(written);
    if (name === undefined) {
      name = attributeName(written);
      if (names.size < mostNames) names.set(written, name);
    }
    return name;
  };

  return (body) => {
    const dn = body.text("the DN of an entry");
    const attributes = new Map<string, readonly Value[]>();
    let parent: boolean | undefined;
    for (const list = body.inside(sequence, "the attributes of an entry"); list.more; ) {
      const attribute = list.inside(sequence, "an attribute");
      const name = nameOf(attribute.text("the name of an attribute"));
      const binary = isBinary(name);
      const values: Value[] = [];
      for (const each = attribute.inside(set, "the values of an attribute"); each.more; ) {
        values.push(binary ? new Uint8Array(each.bytes(octetString, "a value")) : each.textOrBytes("a value"));
      }
      if (name === "hassubordinates") parent = values[0] !== "FALSE";
      else if (values.length > 0) attributes.set(name, values.slice()); // a copy has no spare room for 16 more values
    }
    return { dn, attributes, parent };
  };
}

/** The most names that are remembered: more than any schema has. */
const mostNames = 10_000;
