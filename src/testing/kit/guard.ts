import { AsyncLocalStorage } from "node:async_hooks";
import { syncBuiltinESMExports } from "node:module";
import type { Table } from "../../core/service/service.ts";

/** The clock and the chance that a service's code sees while the kit examines it. */
export interface Surroundings {
  /** Milliseconds since 1970. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  /** Is told what the code calls beside its arguments, such as `fs.readFileSync`: it is not done. */
  escaped(call: string): void;
}

const surroundings = new AsyncLocalStorage<Surroundings>();

/** The modules of Node that reach files, programs and networks. */
const outside = ["fs", "fs/promises", "child_process", "net", "dgram", "http", "https"];

/**
 * Runs work in which the code of a service has another `Date` and `Math.random`, and reaches no file, program or network.
 * The rest of the process has its own; all is restored at the end.
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

/** Keeps the code of services from what is outside; gives what ends it. */
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

/** A service whose code sees these surroundings; the rest of the process sees its own. */
export function seeing(table: Table, given: Surroundings): Table {
  return {
    ...table,
    select: (...words) => surroundings.run(given, () => table.select(...words)),
    run: (...words) => surroundings.run(given, () => table.run(...words)),
  };
}

/** The handler of a plain service that sees these surroundings. */
export const handling = <HostApi extends unknown[]>(
  handle: (...words: HostApi) => Promise<void>,
  given: Surroundings,
): ((...words: HostApi) => Promise<void>) => {
  return (...words) => surroundings.run(given, () => handle(...words));
};
