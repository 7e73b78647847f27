import { createHash } from "node:crypto";
import { reason, UserError } from "../../core/outcome.ts";
import type { Clock } from "../../ports/clock.ts";
import type { DirectorySource, SourceChange } from "../../ports/directory.ts";
import { csnMaker } from "../csn.ts";
import { bellOf } from "./bell.ts";
import { readContent } from "./content.ts";
import { readStanding, stampOf, standing, watching } from "./still.ts";

export interface LdifSourceOptions {
  readonly file: string;
  readonly clock: Clock;
  /** How long the file must stand still before it is read, in milliseconds: a copy in progress pauses for less. */
  readonly still?: number;
  /** How often to look at the file where the system does not tell of changes, in milliseconds. */
  readonly every?: number;
}

/**
 * An LDIF file as a directory: followed as it is replaced or rewritten, delivered whole each time that its bytes have changed.
 * A file that is missing or wrong is trouble, said once per cause, and again when a refresh is asked for.
 */
export function ldifSource({ file, clock, still = 200, every = 2000 }: LdifSourceOptions): DirectorySource {
  const nextState = csnMaker(clock);
  const followers = new Set<() => void>();

  async function* changes(signal: AbortSignal): AsyncGenerator<SourceChange> {
    const bell = bellOf(clock, signal);
    const watcher = watching(file, bell.ring);
    let asked = false;
    const ask = (): void => {
      asked = true;
      bell.ring();
    };
    followers.add(ask);
    let first = true; // only then may the file's own date tell that it has stood still: a copy can be dated back
    let done: string | undefined; // the stamp of what was last read
    let said: string | undefined; // the hash of the content last delivered
    let trouble: string | undefined;
    try {
      for (; !signal.aborted; await bell.wait(every)) {
        watcher.renew();
        const seen = await stampOf(file);
        if (seen.is === done && !asked) continue;
        const quiet = seen.is === done || (first && clock.now() - seen.written >= still);
        const stamp = quiet ? seen : await standing(file, clock, still, signal);
        if (signal.aborted) return;
        first = false;
        const answers: boolean = asked;
        asked = false;
        done = undefined;
        let change: SourceChange;
        try {
          const bytes = await readStanding(file, stamp);
          if (!bytes) {
            asked ||= answers;
            bell.ring();
            continue;
          }
          done = stamp.is;
          const hash = createHash("sha256").update(bytes).digest("hex");
          if (hash === said && trouble === undefined && !answers) continue;
          const state = nextState();
          change = { kind: "refresh", entries: readContent(bytes, file), state: [state] };
          said = hash;
          trouble = undefined;
        } catch (error) {
          const why = error instanceof UserError ? error.message : `${file} cannot be read: ${reason(error)}`;
          if (why === trouble && !answers) continue;
          trouble = why;
          change = { kind: "trouble", why: said === undefined ? why : `${why}; the last good content stays` };
        }
        yield change;
      }
    } finally {
      followers.delete(ask);
      watcher.close();
      bell.close();
    }
  }

  return {
    changes,
    refresh() {
      for (const ask of followers) ask();
    },
  };
}
