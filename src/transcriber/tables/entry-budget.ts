/**
 * The most that one entry may give to one service: 50,000 rows, 8 MiB. A group of 20,000 members has room with a row of 400 bytes for each.
 * Without the limit an entry of some kilobytes, with names times members, would make gigabytes of rows, and minutes of work at each change.
 */
const most = { rows: 50_000, bytes: 8 * 1024 * 1024 };

const remedy = "give fewer or smaller rows in select, or divide the entry";

/** Counts the rows of an entry and their bytes. `take` gives why the entry is refused, once it is beyond what it may give. */
export function entryBudget(rows: number): { take(bytes: number): string | undefined } {
  let [taken, sum] = [0, 0];
  return {
    take(bytes) {
      if (rows > most.rows) return `the entry gives ${rows} rows, the limit is ${most.rows}: ${remedy}`;
      taken += 1;
      sum += bytes;
      if (sum <= most.bytes) return undefined;
      return `the first ${taken} of the ${rows} rows of the entry have ${sum} bytes, the limit is ${most.bytes}: ${remedy}`;
    },
  };
}

/** The bytes of a row that was refused: to read it has cost as much. */
export function bytesOf(raw: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(raw) ?? "");
  } catch {
    return most.bytes; // whatever that is, no second one is looked at
  }
}
