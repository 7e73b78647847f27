import { AsyncLocalStorage } from "node:async_hooks";
import { syncBuiltinESMExports } from "node:module";
import type { Table } from "../../core/service/service.ts";

/** The clock, random numbers and guard that a service's code gets while the kit examines it. */
export interface Surroundings {
  /** The time, in milliseconds since 1970. */
  now(): number;
  /** A random number in [0, 1). */
  random(): number;
  /** Called in place of a function that is no argument of the service's code, such as `fs.readFileSync`. */
  escaped(call: string): void;
}

const surroundings = new AsyncLocalStorage<Surroundings>();

/** The modules of Node that reach files, programs and networks. */
const outside = ["fs", "fs/promises", "child_process", "net", "dgram", "http", "https"];

/**
 * Runs work in which the code of a service has another `Date` and `Math.random`, and reaches no file, program or network.
 * The rest of the process is not affected, and everything is restored at the end.
 */
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
  const open = closeOutside();
  try {
    return await work();
  } finally {
    open();
    globalThis.Date = realDate;
    Math.random = realRandom;
  }
}

/** Blocks the outside modules for the code of services. Returns a function that ends the block. */
function closeOutside(): () => void {
  const closed: (() => void)[] = [];
  for (const name of outside) {
    const module = process.getBuiltinModule(`node:${name}`) as Record<string, unknown>;
    for (const [word, real] of Object.entries(module)) {
      if (typeof real !== "function" || /^[A-Z_]/.test(word)) continue;
      module[word] = new Proxy(real, {
        apply(target, self, words) {
          const seen = surroundings.getStore();
          if (!seen) return Reflect.apply(target, self, words);
          const call = `${name.replace("/", ".")}.${word}`;
          seen.escaped(call);
          throw new Error(`${call}: a service reads and changes a machine through \`host\` alone`);
        },
      });
      closed.push(() => {
        module[word] = real;
      });
    }
  }
  syncBuiltinESMExports();
  return () => {
    for (const restore of closed) restore();
    syncBuiltinESMExports();
  };
}

/** A service whose code gets these surroundings. The rest of the process is not affected. */
export function seeing(table: Table, given: Surroundings): Table {
  return {
    ...table,
    select: (...words) => surroundings.run(given, () => table.select(...words)),
    run: (...words) => surroundings.run(given, () => table.run(...words)),
  };
}

/** The handler of a plain service that gets these surroundings. */
export const handling = <HostApi extends unknown[]>(
  handle: (...words: HostApi) => Promise<void>,
  given: Surroundings,
): ((...words: HostApi) => Promise<void>) => {
  return (...words) => surroundings.run(given, () => handle(...words));
};
