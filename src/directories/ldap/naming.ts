import { setImmediate as nextTurn } from "node:timers/promises";
import { dnLimit, normalDn } from "../../core/directory/dn.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";

/** The number of values that are looked at before other work has a turn. */
const slice = 20_000;

/**
 * The most levels of a name that are looked at, from the top: a text of thousands of commas must not cost its square.
 */
const deepest = 64;

/**
 * The attributes with the name of a writer. They say nothing of the entry: an administrator who leaves would be named
 * by every entry that he wrote.
 */
const ofWriters: ReadonlySet<string> = new Set(["creatorsname", "modifiersname"]);

/**
 * The forms in which values say a name: as the server writes it, and its normal form. Case never counts:
 * an entry too many is only read in vain.
 */
export function formsOf(dn: string): string[] {
  const normal = readDn(dn);
  return normal === undefined ? [] : [dn.toLowerCase(), normal.toLowerCase()];
}

/**
 * The entries of which a value says one of the names of these forms, or a name below. All are looked for in one pass.
 * It ends when it has found more than `most`.
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
 * True if a value is one of the names or below one, by their forms. The bits behind a name (RFC 4517, 3.3.21) do not
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

function readDn(value: string): string | undefined {
  try {
    return normalDn(value);
  } catch {
    return undefined; // it names no entry
  }
}
