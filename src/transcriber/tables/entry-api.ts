import { isClass } from "../../core/directory/classes.ts";
import { readDate } from "../../core/directory/dates.ts";
import { rdnValue } from "../../core/directory/dn.ts";
import type { Entry, Value } from "../../core/directory/entry.ts";
import type { Unread } from "../../core/directory/requested-attributes.ts";
import { type Schema, schemaKey, standardSchema } from "../../core/directory/schema.ts";
import { NotRead, Refusal, reason } from "../../core/util/errors.ts";
import type { MirrorEntry } from "../mirror/mirror-entry.ts";

/** The settings for reading attributes of entries. */
export interface EntryContext {
  readonly timezone: string;
  /** The test for attributes that cannot be read from the directory; undefined if all can. */
  readonly unread?: Unread | undefined;
  /** The schema of the directory; the standard one by default. */
  readonly schema?: Schema | undefined;
}

const isText = (value: Value): value is string => typeof value === "string";

const none: readonly Value[] = [];

/**
 * The API of an entry for `select`. `read` is called before each read of its name or its content, with the number of
 * values; not before one of its UUID.
 */
export const entryApi = (entry: MirrorEntry, context: EntryContext, read: (values: number) => void = () => {}): Entry =>
  new EntryApi(entry, context, read);

/**
 * The API of an entry. It is a class: getters of an object literal cost several times as much, and thousands are made
 * at once.
 */
class EntryApi implements Entry {
  readonly #dn: string;
  readonly #read: (values: number) => void;
  readonly uuid: string;
  readonly [schemaKey]: Schema;
  // Bound to each entry: `select` may take them out of it.
  readonly is: Entry["is"];
  readonly has: Entry["has"];
  readonly maybe: Entry["maybe"];
  readonly one: Entry["one"];
  readonly all: Entry["all"];
  readonly bytes: Entry["bytes"];
  readonly date: Entry["date"];

  constructor(
    { dn, uuid, attributes }: MirrorEntry,
    { timezone, unread, schema = standardSchema }: EntryContext,
    read: (values: number) => void,
  ) {
    const values = (attribute: string): readonly Value[] => {
      const name = schema.nameOf(attribute);
      const found = attributes.get(name) ?? none;
      read(1 + found.length);
      mustBeRead(name, attribute, unread);
      return found;
    };
    const maybe = (attribute: string): string | undefined => {
      const [value, second] = values(attribute);
      const about = attribute;
      if (second !== undefined)
        throw new Refusal(`${attribute} has ${values(attribute).length} values, expected one`, { about });
      if (value !== undefined && !isText(value)) throw new Refusal(`${attribute} is not text`, { about });
      return value;
    };
    this.#dn = dn;
    this.#read = read;
    this.uuid = uuid;
    this[schemaKey] = schema;
    this.is = (objectClass) => isClass(values("objectClass").filter(isText), objectClass);
    this.has = (attribute) => values(attribute).length > 0;
    this.maybe = maybe;
    this.one = (attribute) => {
      const value = maybe(attribute);
      if (value === undefined) throw new Refusal(`${attribute} is missing`, { about: attribute });
      return value;
    };
    this.all = (attribute) => values(attribute).filter(isText).sort();
    this.bytes = (attribute) => values(attribute).flatMap((value) => (isText(value) ? [] : [value.slice()]));
    this.date = (attribute) => {
      const text = maybe(attribute);
      if (text === undefined) return undefined;
      try {
        return readDate(text, timezone);
      } catch (error) {
        throw new Refusal(`${attribute}: ${reason(error)}`, { about: attribute });
      }
    };
  }

  get dn(): string {
    this.#read(1);
    return this.#dn;
  }

  get name(): string {
    this.#read(1);
    return rdnValue(this.#dn);
  }
}

/** Throws a refusal for an attribute that is not read from the directory: it is unknown, not absent. */
export function mustBeRead(name: string, written: string, unread: Unread | undefined): void {
  const why = unread?.(name);
  if (why !== undefined) throw new NotRead(`${written} is not read from the directory: ${why}`);
}
