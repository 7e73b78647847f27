import type { StoredEntry } from "../../../src/core/directory/entry.ts";
import type { DirectoryState } from "../../../src/core/stream/messages.ts";
import { csnAfter } from "../../../src/directories/csn.ts";
import type { DirectorySource, SourceChange } from "../../../src/ports/directory.ts";
import { type Campus, entriesOf, entryOf, type Machine, type Person } from "./campus.ts";
import type { Time } from "./time.ts";

/** The directory server of the world: its content, its backup, and the changes on their way to each follower. */
export interface WorldDirectory {
  readonly campus: Campus;
  readonly state: DirectoryState;
  readonly up: boolean;
  /** Makes one change: entries appear or change, others are removed. */
  change(put: Iterable<readonly [uuid: string, thing: Person | Machine]>, gone?: readonly string[]): void;
  backUp(): void;
  /** Restores the backup; each follower then reads all of it. */
  restore(): void;
  /** Makes the directory unreachable until `heal`. */
  fail(): void;
  heal(): void;
  follower(): Follower;
}

/** The connection of one transcriber to the directory. */
export interface Follower extends DirectorySource {
  /** The delay of the directory's messages, in milliseconds. */
  lag: number;
  /** Breaks the connection in the middle of a refresh and connects again. */
  cut(): void;
}

export interface DirectoryFaults {
  /** True if half of a broken refresh counts as a complete one, which a source must never do. */
  readonly halfRefresh: boolean;
}

export function worldDirectory(initial: Campus, time: Time, faults: DirectoryFaults): WorldDirectory {
  let campus = new Map(initial);
  let state: DirectoryState = [csnAfter(undefined, time.now())];
  let backup = { campus, state };
  let up = true;
  const followers = new Set<{ say(change: SourceChange): void; again(): void }>();
  const whole = (): SourceChange => ({ kind: "refresh", entries: entriesOf(campus), state });
  const away: SourceChange = { kind: "trouble", why: "the directory cannot be reached" };

  function follower(): Follower {
    let waiting: { readonly change: SourceChange; readonly due: number }[] = [];
    let wake = (): void => {};
    /** The number of readers. A killed reader may end after the next one has begun. */
    let readers = 0;
    const follows = {
      lag: 0,
      say(change: SourceChange): void {
        const after = waiting.at(-1)?.due ?? 0;
        waiting.push({ change, due: Math.max(after, time.monotonic() + follows.lag) });
        wake();
      },
      again(): void {
        waiting = [];
        follows.say(up ? whole() : away);
      },
      refresh: () => follows.again(),
      cut(): void {
        waiting = [];
        if (faults.halfRefresh) {
          const half: StoredEntry[] = entriesOf(campus);
          follows.say({ kind: "refresh", entries: half.slice(half.length >> 1), state });
        }
        follows.say({ kind: "trouble", why: "the connection broke in the middle of a refresh" });
        const { due } = waiting.at(-1)!;
        if (up) waiting.push({ change: whole(), due: due + 10_000 });
      },
      async *changes(signal: AbortSignal): AsyncGenerator<SourceChange> {
        const abort = (): void => wake();
        signal.addEventListener("abort", abort);
        followers.add(follows);
        readers += 1;
        follows.again();
        try {
          while (!signal.aborted) {
            const [first] = waiting;
            const wait = first ? first.due - time.monotonic() : Number.POSITIVE_INFINITY;
            if (first && wait <= 0) {
              waiting.shift();
              yield first.change;
              continue;
            }
            const woken = new AbortController();
            const moved = new Promise<void>((resolve) => {
              wake = () => {
                woken.abort();
                resolve();
              };
            });
            await (first ? time.sleep(wait, woken.signal) : moved);
          }
        } finally {
          readers -= 1;
          if (readers === 0) followers.delete(follows);
          signal.removeEventListener("abort", abort);
        }
      },
    };
    return follows;
  }

  const all = (): void => {
    for (const { again } of followers) again();
  };
  return {
    get campus() {
      return campus;
    },
    get state() {
      return state;
    },
    get up() {
      return up;
    },
    change(put, gone = []) {
      const changed = [...put];
      campus = new Map(campus);
      for (const [uuid, thing] of changed) campus.set(uuid, thing);
      for (const uuid of gone) campus.delete(uuid);
      state = [csnAfter(state[0], time.now())];
      if (!up) return;
      const entries = changed.map(([uuid, thing]) => entryOf(uuid, thing));
      for (const { say } of followers) say({ kind: "change", put: entries, removed: gone, state });
    },
    backUp() {
      backup = { campus, state };
    },
    restore() {
      ({ campus, state } = backup);
      all();
    },
    fail() {
      up = false;
      for (const { say } of followers) say(away);
    },
    heal() {
      up = true;
      all();
    },
    follower,
  };
}
