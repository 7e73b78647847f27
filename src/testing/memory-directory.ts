import type { StoredEntry } from "../core/directory/entry.ts";
import { csnMaker } from "../directories/csn.ts";
import type { Clock } from "../ports/clock.ts";
import type { DirectorySource, SourceChange } from "../ports/directory.ts";

/** A directory that a test changes directly. */
export interface MemoryDirectory extends DirectorySource {
  /** Adds or replaces entries, by uuid, as one change. */
  put(...entries: readonly StoredEntry[]): void;
  remove(...uuids: readonly string[]): void;
  /** Makes these entries the whole content, delivered as a refresh. */
  replaceAll(entries: Iterable<StoredEntry>): void;
  trouble(why: string): void;
}

/** A directory in memory. Each follower gets every change from its own first refresh on. */
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
      tell({ kind: "change", put, gone: [], state });
    },
    remove(...gone) {
      for (const uuid of gone) entries.delete(uuid);
      store([]);
      tell({ kind: "change", put: [], gone, state });
    },
    replaceAll(all) {
      entries.clear();
      store(all);
      tell(whole());
    },
    trouble: (why) => tell({ kind: "trouble", why }),
  };
}
