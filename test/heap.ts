import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { StoredEntry, Value } from "../src/core/entry.ts";

setFlagsFromString("--expose-gc");

/** Collects all garbage, at once. */
export const collect = runInNewContext("gc") as () => void;

/** The bytes that the heap gets back for each array of values when every one is replaced by an exact copy: 0 where they are exact. */
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
