/** What the directory holds, as stored and as a service's `select` sees it. */

/** One value of an attribute: text, or bytes where it is not text. */
export type Value = string | Uint8Array;

/** An attribute's values under its normal name (`attributeName`): `cn`, `cn;lang-fr`, `usercertificate;binary`. */
export type Attributes = ReadonlyMap<string, readonly Value[]>;

/** An entry as a directory source delivers it. */
export interface StoredEntry {
  /** The entryUUID in lower case, or the normal DN where the source has none (a rename is then a removal and an addition). */
  readonly uuid: string;
  /** The DN as the source wrote it. */
  readonly dn: string;
  readonly attributes: Attributes;
}

/** An entry as `select` sees it. Attribute names are case-insensitive; a word that cannot answer refuses the row, naming the attribute. */
export interface Entry {
  readonly dn: string;
  readonly uuid: string;
  /** The value of the entry's RDN (the first one, of a multi-valued RDN). */
  readonly name: string;
  /** Whether the entry is of an object class, directly or through a class below it (RFC 4512, 2.4). */
  is(objectClass: string): boolean;
  has(attribute: string): boolean;
  /** The single value; none, several or a binary one refuses the row. */
  one(attribute: string): string;
  /** The single value, or undefined when there is none; several refuse the row. */
  maybe(attribute: string): string | undefined;
  /** All text values, sorted. */
  all(attribute: string): string[];
  /** All values that are not text. */
  bytes(attribute: string): Uint8Array[];
  /** A single date: generalized time (RFC 4517, 3.3.13) or ISO 8601; without a zone it is read in the config's time zone. */
  date(attribute: string): Date | undefined;
}

/** The rest of the directory and the clock, as `select` sees them. Every look, also one that found nothing, is a recorded dependency; of an entry that is handed out, what is read of it. */
export interface Directory {
  /** The entry of a DN. Refuses the entry that asks where the DN may be one of several that their server tells apart. */
  get(dn: string | undefined): Entry | undefined;
  parent(entry: Entry): Entry | undefined;
  /** The entries directly below, in the order of their normal DNs. */
  children(entry: Entry): Entry[];
  /** The entries that the DN values of an attribute name, those that exist, in the order of the values. */
  follow(entry: Entry, attribute: string): Entry[];
  /**
   * The entries that have this value in an attribute, or that name this entry in it by DN.
   * Values are compared by the attribute's rule in the standard schemas: `uid` without case, `memberUid` with it.
   * Values of an attribute that these schemas do not know are compared exactly.
   */
  where(attribute: string, value: string | Entry): Entry[];
  /** Whether a date has come. An absent date never comes. */
  reached(date: Date | undefined): boolean;
  /** Whether now is in [from, until). An absent bound is open. */
  during(from?: Date, until?: Date): boolean;
}
