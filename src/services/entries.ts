import {
  AndFilter,
  EqualityFilter,
  type Filter,
  FilterParser,
  NotFilter,
  OrFilter,
  PresenceFilter,
  SubstringFilter,
} from "ldapts";
import { z } from "zod";
import { attributeName, isAttribute } from "../core/directory/attributes.ts";
import { exactDn, isBelow, normalDn } from "../core/directory/dn.ts";
import type { Entry } from "../core/directory/entry.ts";
import { comparable } from "../core/directory/matching.ts";
import { type Schema, schemaOfEntry } from "../core/directory/schema.ts";
import type { Select, Table } from "../core/service/service.ts";
import { UserError } from "../core/util/errors.ts";
import { type Claims, readSettings, type Selected } from "./settings.ts";

/** Directories that differ slightly from the standard schemas: the entries that the standard `select` of a ready-made service sees, and their names. */

/** A part of a setting that depends on the schema of the directory. */
type ByDirectory<T> = (schema: Schema) => T;

/** Computes once for each schema: a directory has one for months. */
function byDirectory<T>(compute: ByDirectory<T>): ByDirectory<T> {
  const computed = new WeakMap<Schema, { readonly value: T }>();
  return (schema) => {
    const known = computed.get(schema);
    if (known) return known.value;
    const value = compute(schema);
    computed.set(schema, { value });
    return value;
  };
}

const baseOf = readBy((text) => {
  normalDn(text); // throws for a malformed one
  return byDirectory((schema) => exactDn(text, schema));
}, "is no DN");
const attribute = z.string().refine(isAttribute, "is no name of an attribute");
const settings = z.strictObject({
  base: baseOf.optional(),
  filter: readBy(matcher, "is no LDAP filter of =, =*, *, &, | and !").optional(),
  attributes: z.record(attribute, attribute).default({}),
  classes: z.record(attribute, attribute).default({}),
});

/** A text that is parsed once, here; `wrong` is the message if that throws. */
function readBy<T>(read: (text: string) => T, wrong: string) {
  return z.string().transform((text, context) => {
    try {
      return read(text);
    } catch {
      context.addIssue(wrong);
      return z.NEVER;
    }
  });
}

/** The `select` of a ready-made service: the site's own, or the standard one on the chosen entries. */
export function selecting<In>(
  service: string,
  standard: Select<In>,
  { select, entries }: { readonly [option in keyof Selected<In>]: Selected<In>[option] | undefined },
): Select<In> {
  if (select && entries) {
    throw new UserError(
      `${service}: entries: applies to the standard select of ${service}: write it into your own select`,
    );
  }
  if (select) return select;
  if (!entries) return standard;
  const { base, filter, attributes, classes } = readSettings(`${service}: entries`, settings, entries, [])("");
  const isSeen = (entry: Entry): boolean => (base === undefined || isWithin(entry, base)) && filter?.(entry) !== false;
  const named = renamed(attributes, classes);
  return (entry, directory) => (isSeen(entry) ? standard(named(entry), directory) : undefined);
}

const claimsSettings = z.strictObject({
  base: z
    .union([z.string(), z.array(z.string()).min(1)])
    .transform((base) => [base].flat())
    .pipe(z.array(baseOf))
    .optional(),
  filter: settings.shape.filter,
});

/** The option `claims` as the part of a table: the entries that keep their rows when others claim the same value. */
export function claiming(service: string, claims: Claims | undefined): Pick<Table, "claims"> {
  if (claims === undefined) return {};
  const { base, filter } = readSettings(`${service}: claims`, claimsSettings, claims, [])("");
  if (base === undefined && filter === undefined) {
    throw new UserError(`${service}: claims: is empty: expected a base or a filter that only blessed entries match`);
  }
  return {
    claims: (entry) => (base === undefined || base.some((one) => isWithin(entry, one))) && filter?.(entry) !== false,
  };
}

function isWithin(entry: Entry, base: ByDirectory<string>): boolean {
  const schema = schemaOfEntry(entry);
  // Where the schema does not tell a rule, case counts: a twin of the base is another one.
  const name = exactDn(entry.dn, schema);
  const above = base(schema);
  return name === above || isBelow(name, above);
}

/** An entry whose attributes and classes have their standard names. */
function renamed(attributes: Record<string, string>, classes: Record<string, string>): (entry: Entry) => Entry {
  const names = new Map(Object.entries(attributes).map(([standard, own]) => [attributeName(standard), own]));
  const kinds = new Map(Object.entries(classes).map(([standard, own]) => [standard.toLowerCase(), own]));
  const nameOf = (standard: string): string => names.get(attributeName(standard)) ?? standard;
  return (entry) => ({
    ...{ dn: entry.dn, uuid: entry.uuid, name: entry.name },
    is: (standard) => entry.is(kinds.get(standard.toLowerCase()) ?? standard),
    has: (standard) => entry.has(nameOf(standard)),
    one: (standard) => entry.one(nameOf(standard)),
    maybe: (standard) => entry.maybe(nameOf(standard)),
    all: (standard) => entry.all(nameOf(standard)),
    bytes: (standard) => entry.bytes(nameOf(standard)),
    date: (standard) => entry.date(nameOf(standard)),
  });
}

type Matcher = (entry: Entry) => boolean;

/** Reads a filter. Throws for a malformed one, and for an unsupported kind of filter. */
function matcher(text: string): Matcher {
  return read(FilterParser.parseString(unescaped(text)));
}

/** A filter with unescaped letters beyond ASCII: the parser takes each escaped byte for a letter of its own. */
function unescaped(text: string): string {
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  return text.replace(/(?:\\[89a-f][0-9a-f])+/gi, (bytes) =>
    utf8.decode(Buffer.from(bytes.replaceAll("\\", ""), "hex")),
  );
}

function read(filter: Filter): Matcher {
  if (filter instanceof AndFilter) {
    const all = filter.filters.map(read);
    return (entry) => all.every((one) => one(entry));
  }
  if (filter instanceof OrFilter) {
    const any = filter.filters.map(read);
    return (entry) => any.some((one) => one(entry));
  }
  if (filter instanceof NotFilter) {
    const not = read(filter.filter);
    return (entry) => !not(entry);
  }
  if (filter instanceof PresenceFilter) {
    const { attribute } = filter;
    return isClass(attribute) ? () => true : (entry) => entry.has(attribute);
  }
  if (filter instanceof EqualityFilter) {
    const { attribute } = filter;
    const value = String(filter.value);
    if (isClass(attribute)) return (entry) => entry.is(value);
    const folded = byDirectory((schema) => {
      const fold = foldOf(attribute, schema);
      return { fold, wanted: fold(value) };
    });
    return (entry) => {
      const { fold, wanted } = folded(schemaOfEntry(entry));
      return entry.all(attribute).some((one) => fold(one) === wanted);
    };
  }
  if (filter instanceof SubstringFilter) return substrings(filter);
  throw new Error(`${filter.toString()} is not supported`);
}

function substrings({ attribute, initial, any, final }: SubstringFilter): Matcher {
  const folded = byDirectory((schema) => {
    const fold = foldOf(attribute, schema);
    return { fold, begin: fold(initial), end: fold(final), parts: any.map(fold) };
  });
  return (entry) => {
    const { fold, begin, end, parts } = folded(schemaOfEntry(entry));
    return entry.all(attribute).some((one) => {
      const value = fold(one);
      if (!value.startsWith(begin)) return false;
      let at = begin.length;
      for (const part of parts) {
        const found = value.indexOf(part, at);
        if (found < 0) return false;
        at = found + part.length;
      }
      return value.length - end.length >= at && value.endsWith(end);
    });
  };
}

const isClass = (attribute: string): boolean => attributeName(attribute) === "objectclass";

/** The form of a value as `where` compares it. */
const foldOf = (attribute: string, schema: Schema): ((text: string) => string) => {
  const name = schema.nameOf(attribute);
  return (text) => comparable(name, text, schema);
};
