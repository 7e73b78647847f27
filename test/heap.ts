import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { StoredEntry, Value } from "../src/core/directory/entry.ts";

setFlagsFromString("--expose-gc");

/** Collects all garbage, at once. */
export const collect = runInNewContext("gc") as () => void;

/** The spare bytes of each array of values: what the heap gets back as exact copies replace them. 0 if they are exact. */
export function slackOf(entries: readonly StoredEntry[]): number {
  let arrays = 0;
  const before = used();
  for (const { attributes } of entries) {
    for (const [name, values] of attributes) {
      (attributes as Map<string, readonly Value[]>).set(name, values.slice());
      arrays += 1;
    }
  }
  return (before - used()) / arrays;
}

function used(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
