import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import type { TestProject } from "../project.ts";
import { until } from "../until.ts";

/**
 * The stores of the hosts, as an administrator backs them up, loses them and restores them. The process must be down
 * for `lose` and `putBack`.
 */
export interface Stores {
  /** Makes a copy by SQLite's own means. Returns the copy made before it, or this one if it is the first. */
  copy(host: string): Promise<string>;
  /** Deletes a store with all files that belong to it. */
  lose(host: string): void;
  /** Restores a copy over the store, once there is room for it. */
  putBack(host: string, copy: string): Promise<void>;
  /** Waits until a host has a store. */
  isThere(host: string): Promise<void>;
}

/** The longest time that a full disk may delay the creation of a store, in milliseconds. */
const patience = 60_000;

export function stores(project: TestProject, replaced: (host: string) => void): Stores {
  const folder = (host: string): string => project.path(`.trigger/${host}`);
  const store = (host: string): string => join(folder(host), "store.db");
  const copies = new Map<string, string>();
  const filesOf = (host: string): string[] => readdirSync(folder(host)).filter((name) => name.startsWith("store.db"));
  const isThere = (host: string): Promise<void> => until(() => existsSync(store(host)), { within: patience });

  function lose(host: string): void {
    for (const name of filesOf(host)) rmSync(join(folder(host), name));
    if (filesOf(host).length > 0) throw new Error(`the store of ${host} was written to while it was down`);
    if (!existsSync(join(folder(host), "owned.db"))) throw new Error(`${host} has lost more than its store`);
    replaced(host);
  }

  return {
    async copy(host) {
      mkdirSync(project.path("copies"), { recursive: true });
      const to = project.path(`copies/${host}-${copies.has(host) ? Date.now() : "first"}.db`);
      await isThere(host);
      using database = new DatabaseSync(store(host), { readOnly: true });
      await backup(database, to);
      const before = copies.get(host);
      copies.set(host, to);
      return before ?? to;
    },
    lose,
    async putBack(host, copy) {
      await until(
        () => {
          lose(host);
          try {
            copyFileSync(copy, store(host));
            return true;
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
            return false;
          }
        },
        { within: patience },
      );
      replaced(host);
    },
    isThere,
  };
}
