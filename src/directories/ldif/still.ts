import { type BigIntStats, watch } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Clock } from "../../ports/clock.ts";

/** Reading a file that others write, without ever taking a half-written one for the whole. */

/** How a file stands: two looks that find the same stamp found the same content. */
export interface Stamp {
  readonly is: string;
  /** When it was last written, milliseconds since 1970; 0 for a file that is not there. */
  readonly written: number;
}

export async function stampOf(file: string): Promise<Stamp> {
  const found = await stat(file, { bigint: true }).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) return { is: `${found.code}`, written: 0 };
  return { is: [found.dev, found.ino, found.size, found.mtimeNs].join(" "), written: Number(found.mtimeMs) };
}

/** Waits until a file has stood still for so many milliseconds, or the signal, and gives its stamp. */
export async function standing(file: string, clock: Clock, still: number, signal: AbortSignal): Promise<Stamp> {
  for (let before = await stampOf(file); ; ) {
    await clock.sleep(still, signal);
    const after = await stampOf(file);
    if (signal.aborted || after.is === before.is) return after;
    before = after;
  }
}

/** The bytes of a file; undefined when it no longer is what the stamp says. Throws when it cannot be read. */
export async function readStanding(file: string, stamp: Stamp): Promise<Uint8Array | undefined> {
  const found: BigIntStats = await stat(file, { bigint: true });
  if (!found.isFile()) throw new Error("it is not a file"); // reading a pipe would wait for ever
  const bytes = await readFile(file);
  return (await stampOf(file)).is === stamp.is ? bytes : undefined;
}

/** Calls `changed` when something happens to a file of this name, as far as the system tells; some file systems never do. */
export function watching(file: string, changed: () => void): { renew(): void; close(): void } {
  let watcher: ReturnType<typeof watch> | undefined;
  const close = (): void => {
    watcher?.close();
    watcher = undefined;
  };
  return {
    close,
    /** Begins to watch where that was not possible before: the folder may have come only now. */
    renew() {
      if (watcher) return;
      try {
        watcher = watch(dirname(file), (_, name) => {
          if (name === null || name === basename(file)) changed();
        });
        watcher.on("error", close);
      } catch {
        // No folder, or no more watches: looking now and then finds every change too, only later.
      }
    },
  };
}
