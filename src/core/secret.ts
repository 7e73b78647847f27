import type { Columns, Json } from "./service.ts";

const mask = "********";

/** A row as it may be shown: the values of its secret columns are masked. */
export function masked(row: Columns, secret: readonly string[] = []): Columns {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [column, secret.includes(column) ? mask : value]),
  );
}

/** The values of the secret columns of some rows, as a text may have them: plain, or as JSON writes them. */
export function secretsOf(rows: Iterable<Columns>, secret: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const add = (value: Json): void => {
    if (typeof value === "object" && value !== null) for (const part of Object.values(value)) add(part);
    if (typeof value !== "string" && typeof value !== "number") return;
    const text = String(value);
    // An empty one is everywhere, and tells nothing.
    for (const form of [text, text.trim(), JSON.stringify(text).slice(1, -1)]) if (form !== "") found.add(form);
  };
  for (const row of rows) for (const column of secret) add(row[column]);
  return found;
}

/** A text in which these values are masked, the longest first: one may be a part of another. */
export function withoutSecrets(text: string, secrets: ReadonlySet<string>): string {
  const there = [...secrets].filter((value) => text.includes(value)).sort((a, b) => b.length - a.length);
  return there.reduce((shown, value) => shown.replaceAll(value, mask), text);
}
