import { canonical } from "../stream/cells.ts";
import type { Columns } from "../util/json.ts";

/**
 * The unique claims of a row: a text for each value of its unique columns. A column that is a list claims each of its
 * items.
 */
export function claimsOf(unique: readonly string[], row: Columns): string[] {
  return unique.flatMap((column) => {
    const items = [row[column]].flat().filter((item) => item !== undefined && item !== null);
    return items.map((item) => `${column} ${canonical(item)}`);
  });
}
