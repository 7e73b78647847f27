/** The entries of a directory, as stored and as a service's `select` sees them. */

/** One value of an attribute: text, or bytes where it is not text. */
export type Value = string | Uint8Array;

/** The values of attributes, each under its name in lower case with sorted options: `cn`, `cn;lang-fr`, `usercertificate;binary`. */
export type Attributes = ReadonlyMap<string, readonly Value[]>;

/** An entry as a directory source provides it. */
export interface StoredEntry {
  /** The entryUUID in lower case, or the distinct DN where the source has none (a rename is then a removal and an addition). */
  readonly uuid: string;
  /** The DN as the source wrote it. */
  readonly dn: string;
  /** The values of its attributes. */
  readonly attributes: Attributes;
}

/**
 * An entry as `select` sees it. Names of attributes and object classes are case-insensitive. A method without an answer
 * throws `Refusal`. The row is then refused, with a reason that names the attribute.
 */
export interface Entry {
  /** The distinguished name as the directory writes it. */
  readonly dn: string;
  /**
   * The entryUUID in lower case. Where the source has none: the DN, without case in ASCII letters where the standard
   * schemas ignore it.
   */
  readonly uuid: string;
  /** The value of the entry's RDN; the first one of a multi-valued RDN. */
  readonly name: string;
  /** True if the entry is of `objectClass`, or of a class below it (RFC 4512, 2.4). */
  is(objectClass: string): boolean;
  /**
   * True if `attribute` has a value.
   *
   * @throws `Refusal` for an attribute that is not read; `directory.attributes` of the config names those that are.
   */
  has(attribute: string): boolean;
  /**
   * The single text of `attribute`.
   *
   * @throws `Refusal` for no value, several, or one that is not text.
   */
  one(attribute: string): string;
  /**
   * The single text of `attribute`, or undefined.
   *
   * @throws `Refusal` for several values, or one that is not text.
   */
  maybe(attribute: string): string | undefined;
  /**
   * All texts of `attribute`, sorted.
   *
   * @throws `Refusal` for an attribute that is not read; `directory.attributes` of the config names those that are.
   */
  all(attribute: string): string[];
  /**
   * All values of `attribute` that are not text.
   *
   * @throws `Refusal` for an attribute that is not read; `directory.attributes` of the config names those that are.
   */
  bytes(attribute: string): Uint8Array[];
  /**
   * The single date of `attribute`, or undefined. It is a generalized time (RFC 4517, 3.3.13) or a date of ISO 8601; one without a
   * zone is read in the config's time zone.
   *
   * @throws `Refusal` for several values, or one that is no date.
   */
  date(attribute: string): Date | undefined;
}

/**
 * The rest of the directory and the clock, as `select` sees them. Each question is recorded, also one without an
 * answer: the entry is evaluated again when the answer changes. Each attribute that is read of a returned entry is
 * recorded, too.
 */
export interface Directory {
  /**
   * The entry of `dn`, or undefined. A DN in another spelling may mean one of several, if the server hides its schema:
   * then it means the oldest.
   */
  get(dn: string | undefined): Entry | undefined;
  /** The entry above `entry`, or undefined. */
  parent(entry: Entry): Entry | undefined;
  /** The entries directly below `entry`, in the order of their normal DNs. */
  children(entry: Entry): Entry[];
  /** The existing entries that the DNs in `attribute` of `entry` name, in order. */
  follow(entry: Entry, attribute: string): Entry[];
  /**
   * The entries with `value` in `attribute`, or with the DN of the entry `value`.
   * Values are compared by the attribute's rule in the server's schema: `uid` without case, `memberUid` with it. Without
   * a server the standard schemas count. Values of an attribute whose rule is unknown are compared exactly.
   */
  where(attribute: string, value: string | Entry): Entry[];
  /** True from `date` on; always false without a `date`. */
  reached(date: Date | undefined): boolean;
  /** True from `from` until `until`, exclusive; an absent bound is no limit. */
  during(from?: Date, until?: Date): boolean;
}
