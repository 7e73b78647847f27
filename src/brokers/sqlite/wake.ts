import { createHash } from "node:crypto";
import { type FSWatcher, utimesSync, watch } from "node:fs";
import { join } from "node:path";
import { reason } from "../../core/util/errors.ts";
import { fileIdentity } from "../../sqlite/lock.ts";
import { createPrivate } from "../../sqlite/open.ts";

/** Wakes waiting processes: it touches a small file in a directory that they watch. */
export interface Wake {
  /** Wakes every listener of a name. */
  touch(name: string): void;
  /** Calls `look` when the name is touched, and at every interval. Returns a function that ends that. */
  listen(name: string, look: () => void): () => void;
  trouble(): string | undefined;
  close(): void;
}

interface Options {
  /** The interval of polling, in milliseconds. */
  readonly every: number;
  /** Called at every interval. */
  readonly check: () => void;
}

/** Opens the wake-ups of a directory, which has no other use. */
export function openWake(directory: string, { every, check }: Options): Wake {
  const listeners = new Map<string, Set<() => void>>();
  let watcher: FSWatcher | undefined;
  let watched: string | undefined;
  let failure: string | undefined;

  const pathOf = (name: string): string => join(directory, `${fileName(name)}.wake`);

  function start(): void {
    watcher?.close();
    try {
      for (const name of listeners.keys()) createPrivate(pathOf(name));
      createPrivate(join(directory, "any.wake"));
      watched = fileIdentity(directory);
      watcher = watch(directory, (_, changed) => wake(changed));
      watcher.on("error", fail);
      failure = undefined;
    } catch (error) {
      fail(error);
    }
  }

  /** Notes that the directory cannot be watched, as without free inotify watches. Polling remains. */
  function fail(error: unknown): void {
    failure = `${directory} cannot be watched, messages wait up to ${every} ms: ${reason(error)}`;
    watcher?.close();
    watcher = undefined;
  }

  function wake(changed: string | null): void {
    for (const [name, looks] of listeners) {
      if (changed === null || changed === `${fileName(name)}.wake`) for (const look of looks) look();
    }
  }

  const net = setInterval(() => {
    check();
    if (!watcher || fileIdentity(directory) !== watched) start();
    wake(null);
  }, every);
  start();

  return {
    touch(name) {
      try {
        const now = new Date();
        utimesSync(pathOf(name), now, now);
      } catch {
        // No listener may be there yet; a later one finds the change by polling.
      }
    },
    listen(name, look) {
      createPrivate(pathOf(name));
      const looks = listeners.get(name) ?? new Set();
      listeners.set(name, looks.add(look));
      return () => {
        looks.delete(look);
        if (looks.size === 0) listeners.delete(name);
      };
    },
    trouble: () => failure,
    close() {
      clearInterval(net);
      watcher?.close();
      listeners.clear();
    },
  };
}

/** The name of a file for an arbitrary name: a long or special one becomes its hash. */
export const fileName = (name: string): string =>
  /^[\w.-]{1,100}$/.test(name) ? name : `=${createHash("sha256").update(name).digest("hex")}`;
