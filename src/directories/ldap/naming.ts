import { setImmediate as nextTurn } from "node:timers/promises";
import { dnLimit, readDn } from "../../core/directory/dn.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import type { Equality } from "../../core/directory/equality.ts";
import { type Schema, standardSchema } from "../../core/directory/schema.ts";

/** The number of values that are examined before other work has a turn. */
const slice = 20_000;

/**
 * The most levels of a name that are compared, from the top: a text of thousands of commas must not take quadratic
 * time.
 */
const deepest = 64;

/**
 * The attributes with the name of a writer, which are not searched. Every entry that an administrator wrote would name
 * that administrator.
 */
const ofWriters: ReadonlySet<string> = new Set(["creatorsname", "modifiersname"]);

/**
 * The forms of a name in values: as the server writes it, and its normal form. Case is ignored, as a false match only
 * costs one read.
 */
export function formsOf(dn: string, schema: Schema = standardSchema): string[] {
  const normal = readDn(dn, schema);
  return normal === undefined ? [] : [dn.toLowerCase(), normal.toLowerCase()];
}

/**
 * The entries with a value that is one of the names of these forms, or a name below one. All are searched in one pass,
 * which ends when it has found more than `most`.
 */
export async function entriesNaming(
  forms: ReadonlySet<string>,
  entries: Iterable<StoredEntry>,
  most: number,
  schema: Schema = standardSchema,
): Promise<StoredEntry[]> {
  const names = { forms, schema, read: mustBeRead(forms, schema) };
  const found: StoredEntry[] = [];
  let looked = 0;
  for (const entry of entries) {
    for (const [attribute, values] of entry.attributes) {
      if (ofWriters.has(attribute)) continue;
      looked += values.length;
      if (!values.some((value) => typeof value === "string" && saysOne(value, names))) continue;
      found.push(entry);
      break;
    }
    if (found.length > most) return found;
    if (looked < slice) continue;
    looked = 0;
    await nextTurn();
  }
  return found;
}

/** The names to find, by their forms. */
interface Names {
  readonly forms: ReadonlySet<string>;
  readonly schema: Schema;
  /** True if a value in plain text may have another form: it must be read. */
  readonly read: boolean;
}

/** The rules by which two plain texts that differ in more than case may be equal. */
const rewriting: ReadonlySet<Equality | undefined> = new Set([
  "digits",
  "telephone",
  "lines",
  "time",
  "name",
  "nameAndBits",
]);

function mustBeRead(forms: ReadonlySet<string>, schema: Schema): boolean {
  for (const form of forms) {
    for (const [, type = ""] of form.matchAll(/(?:^|[,+])([^=,+]+)=/g))
      if (rewriting.has(schema.equalityOf(type))) return true;
  }
  return false;
}

/**
 * True if a value is one of the names or below one, by their forms. The bits after a name (RFC 4517, 3.3.21) do not
 * count.
 */
function saysOne(value: string, { forms, schema, read }: Names): boolean {
  if (value.indexOf("=") < 1 || value.length > dnLimit) return false;
  const isPlain = !read && !/["#+;<>\\]| [ ,=]|[,=] |[^ -~]/.test(value);
  const plain = isPlain ? value : readDn(value.replace(/#'[01]*'B$/, ""), schema);
  const dn = plain?.toLowerCase() ?? "";
  let comma = dn.length;
  for (let level = 0; level < deepest && comma > 0; level++) {
    comma = dn.lastIndexOf(",", comma - 1);
    if (forms.has(dn.slice(comma + 1))) return true;
  }
  return false;
}
