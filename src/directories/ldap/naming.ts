import { setImmediate as nextTurn } from "node:timers/promises";
import { dnLimit, readDn } from "../../core/directory/dn.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";

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
export function formsOf(dn: string): string[] {
  const normal = readDn(dn);
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
): Promise<StoredEntry[]> {
  const found: StoredEntry[] = [];
  let looked = 0;
  for (const entry of entries) {
    for (const [attribute, values] of entry.attributes) {
      if (ofWriters.has(attribute)) continue;
      looked += values.length;
      if (!values.some((value) => typeof value === "string" && saysOne(value, forms))) continue;
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

/**
 * True if a value is one of the names or below one, by their forms. The bits after a name (RFC 4517, 3.3.21) do not
 * count.
 */
function saysOne(value: string, forms: ReadonlySet<string>): boolean {
  if (value.indexOf("=") < 1 || value.length > dnLimit) return false;
  const plain = /["#+;<>\\]| [ ,=]|[,=] |[^ -~]/.test(value) ? readDn(value.replace(/#'[01]*'B$/, "")) : value;
  const dn = plain?.toLowerCase() ?? "";
  let comma = dn.length;
  for (let level = 0; level < deepest && comma > 0; level++) {
    comma = dn.lastIndexOf(",", comma - 1);
    if (forms.has(dn.slice(comma + 1))) return true;
  }
  return false;
}
