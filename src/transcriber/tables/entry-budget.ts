/**
 * The most that one entry may give to one service: 50,000 rows, 8 MiB. A group of 20,000 members fits, with 400 bytes a
 * row. Without the limit an entry of some kilobytes, with names times members, would make gigabytes of rows at each
 * change.
 */
const most = { rows: 50_000, bytes: 8 * 1024 * 1024 };

const remedy = "give fewer or smaller rows in select, or divide the entry";

/**
 * Counts the rows of an entry and their bytes. `take` returns the reason to refuse the entry once it is over budget.
 */
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

/** The bytes of a refused row: reading it has cost as much. */
export function bytesOf(raw: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(raw) ?? "");
  } catch {
    return most.bytes; // it cannot be measured: no second one is read
  }
}
