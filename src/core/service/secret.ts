import type { Columns, Json } from "../util/json.ts";

const mask = "********";

/** A row as it may be shown: the values of its secret columns are masked. */
export function masked(row: Columns, secret: readonly string[] = []): Columns {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [column, secret.includes(column) ? mask : value]),
  );
}

/** Texts to mask, and the lengths of those that begin with the same characters. */
export interface Secrets {
  readonly all: ReadonlySet<string>;
  readonly lengths: ReadonlyMap<string, ReadonlySet<number>>;
}

/** The number of first characters by which a value is looked up. */
const head = 4;

/**
 * The values of the secret columns of rows in each form that a text may have: plain, in JSON, in a URL, in base64 or
 * hexadecimal.
 */
export function secretsOf(rows: Iterable<Columns>, secret: readonly string[]): Secrets {
  const all = new Set<string>();
  const lengths = new Map<string, Set<number>>();
  const add = (value: Json): void => {
    if (typeof value === "object" && value !== null) for (const part of Object.values(value)) add(part);
    if (typeof value !== "string" && typeof value !== "number") return;
    const text = String(value);
    for (const form of [text, text.trim(), JSON.stringify(text).slice(1, -1), ...encodings(text)]) {
      // An empty text is everywhere and reveals nothing.
      if (form === "" || all.has(form)) continue;
      all.add(form);
      const start = form.slice(0, head);
      lengths.set(start, (lengths.get(start) ?? new Set()).add(form.length));
    }
  };
  for (const row of rows) for (const column of secret) add(row[column]);
  return { all, lengths };
}

/**
 * The encodings of a value that programs print, as LDIF does. A short value has none: its encoding would be a part of
 * many words.
 */
function encodings(text: string): string[] {
  const bytes = Buffer.from(text);
  if (bytes.length < 4) return [];
  const base64 = bytes.toString("base64");
  const hex = bytes.toString("hex");
  return [
    base64,
    base64.replace(/=+$/, ""),
    bytes.toString("base64url"),
    hex,
    hex.toUpperCase(),
    encodeURIComponent(text.toWellFormed()),
  ];
}

/** Masks these values in a text; overlapping ones are masked as one. The time taken does not depend on their number. */
export function withoutSecrets(text: string, { all, lengths }: Secrets): string {
  let shown = "";
  let end = 0;
  for (let at = 0; at < text.length; at++) {
    const longest = Math.max(0, ...lengthsAt(at).filter((length) => all.has(text.slice(at, at + length))));
    if (longest > 0 && at >= end) shown += mask;
    end = Math.max(end, at + longest);
    if (at >= end) shown += text[at];
  }
  return shown;

  function lengthsAt(at: number): number[] {
    const found: number[] = [];
    for (let length = 1; length <= head; length++) {
      const some = lengths.get(text.slice(at, at + length));
      if (some) found.push(...some);
    }
    return found;
  }
}
