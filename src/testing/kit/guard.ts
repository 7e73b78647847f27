import { AsyncLocalStorage } from "node:async_hooks";
import type { Table } from "../../core/service/service.ts";

/** The clock and the chance that a service's code sees while the kit examines it. */
export interface Surroundings {
  /** Milliseconds since 1970. */
  now(): number;
  /** In [0, 1). */
  random(): number;
}

const surroundings = new AsyncLocalStorage<Surroundings>();

/** Runs work with `Date` and `Math.random` replaced, for the code of a service alone; they are restored when it has ended. */
export async function guarded<T>(work: () => Promise<T>): Promise<T> {
  const { Date: realDate } = globalThis;
  const realRandom = Math.random;
  const now = (): number => surroundings.getStore()?.now() ?? realDate.now();
  globalThis.Date = new Proxy(realDate, {
    construct: (target, words, made) => Reflect.construct(target, words.length === 0 ? [now()] : words, made),
    apply: () => new realDate(now()).toString(),
    get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
  });
  Math.random = () => (surroundings.getStore()?.random ?? realRandom)();
  try {
    return await work();
  } finally {
    globalThis.Date = realDate;
    Math.random = realRandom;
  }
}

/** A service whose code sees these surroundings; the rest of the process sees its own. */
export function seeing(table: Table, given: Surroundings): Table {
  return {
    ...table,
    select: (...words) => surroundings.run(given, () => table.select(...words)),
    run: (...words) => surroundings.run(given, () => table.run(...words)),
  };
}
