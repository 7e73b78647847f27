import type { Rows } from "../../core/service/service.ts";
import type { Columns } from "../../core/util/json.ts";

/** These rows, with other values for the given keys: as before a change, or as after it. */
export function overlayRows(rows: Rows<Columns>, before: ReadonlyMap<string, Columns | undefined>): Rows<Columns> {
  const get = (key: string): Columns | undefined => (before.has(key) ? before.get(key) : rows.get(key));
  function* entries(): Generator<readonly [string, Columns]> {
    const back = [...before.keys()].filter((key) => rows.get(key) === undefined).sort();
    const backUntil = function* (limit?: string): Generator<readonly [string, Columns]> {
      for (let key = back[0]; key !== undefined && (limit === undefined || key < limit); key = back[0]) {
        back.shift();
        const row = before.get(key);
        if (row) yield [key, row];
      }
    };
    for (const [key, row] of rows.entries()) {
      yield* backUntil(key);
      const now = before.has(key) ? before.get(key) : row;
      if (now) yield [key, now];
    }
    yield* backUntil();
  }
  return {
    get size() {
      let size = 0;
      for (const _ of entries()) size += 1;
      return size;
    },
    get,
    entries,
    *[Symbol.iterator]() {
      for (const [, row] of entries()) yield row;
    },
  };
}
