import type { StoredEntry } from "../core/directory/entry.ts";
import { csnMaker } from "../directories/csn.ts";
import type { Clock } from "../ports/clock.ts";
import type { DirectorySource, SourceChange } from "../ports/directory.ts";

/** A directory in memory, which a test changes directly. */
export interface MemoryDirectory extends DirectorySource {
  /** Adds or replaces `entries`, by uuid, as one change. */
  put(...entries: readonly StoredEntry[]): void;
  /** Removes the entries with `uuids`, as one change. */
  remove(...uuids: readonly string[]): void;
  /** Makes `entries` the whole content, delivered as a refresh. */
  replaceAll(entries: Iterable<StoredEntry>): void;
  /** Delivers trouble with the reason `why`; the content stays. */
  trouble(why: string): void;
}

/**
 * Makes a directory in memory of the entries `initial`. Each follower gets every change from its own first refresh on.
 * The states of the directory have the time of `clock`.
 *
 * @example
 * ```ts
 * const directory = memoryDirectory(ldifEntries("directory.ldif"), virtualClock(0));
 * for await (const change of directory.changes(signal)) console.log(change.kind);
 * ```
 */
export function memoryDirectory(initial: Iterable<StoredEntry>, clock: Clock): MemoryDirectory {
  const nextState = csnMaker(clock);
  const entries = new Map<string, StoredEntry>();
  const followers = new Set<(change: SourceChange) => void>();
  let state = [nextState()];
  const tell = (change: SourceChange): void => {
    for (const follower of followers) follower(change);
  };
  const whole = (): SourceChange => ({ kind: "refresh", entries: [...entries.values()], state });
  const store = (put: Iterable<StoredEntry>): void => {
    for (const entry of put) entries.set(entry.uuid, entry);
    state = [nextState()];
  };
  store(initial);

  async function* changes(signal: AbortSignal): AsyncGenerator<SourceChange> {
    const waiting: SourceChange[] = [whole()];
    let wake = (): void => {};
    const take = (change: SourceChange): void => {
      waiting.push(change);
      wake();
    };
    const abort = (): void => wake();
    followers.add(take);
    signal.addEventListener("abort", abort);
    try {
      while (!signal.aborted) {
        const change = waiting.shift();
        if (change) yield change;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      followers.delete(take);
      signal.removeEventListener("abort", abort);
    }
  }

  return {
    changes,
    refresh: () => tell(whole()),
    put(...put) {
      store(put);
      tell({ kind: "change", put, removed: [], state });
    },
    remove(...removed) {
      for (const uuid of removed) entries.delete(uuid);
      store([]);
      tell({ kind: "change", put: [], removed, state });
    },
    replaceAll(all) {
      entries.clear();
      store(all);
      tell(whole());
    },
    trouble: (why) => tell({ kind: "trouble", why }),
  };
}
