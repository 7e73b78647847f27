import { createHash } from "node:crypto";
import { reason, UserError } from "../../core/outcome.ts";
import type { Clock } from "../../ports/clock.ts";
import type { DirectorySource, SourceChange } from "../../ports/directory.ts";
import { csnMaker } from "../csn.ts";
import { bellOf } from "./bell.ts";
import { contentReader } from "./content.ts";
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
    const news = newsOf(file, nextState);
    let first = true; // only then may the file's own date tell that it has stood still: a copy can be dated back
    let done: string | undefined; // the stamp of what was last read
    try {
      for (; !signal.aborted; await bell.wait(every)) {
        watcher.renew();
        const seen = await stampOf(file);
        if (seen.is === done && !asked) continue;
        const quiet = seen.is === done || (first && clock.now() - seen.written >= still);
        const stamp = quiet ? seen : await standing(file, clock, still, signal);
        if (signal.aborted) return;
        first = false;
        const found = await readStanding(file, stamp).catch((error: Error) => error);
        if (found === undefined) {
          bell.ring(); // it changed meanwhile: look again now
          continue;
        }
        done = found instanceof Error ? undefined : stamp.is;
        const change = news(found, asked);
        asked = false;
        if (change) yield change;
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

/** What there is to say of the file each time that it was read; `always` also when it is what was said before. */
function newsOf(file: string, nextState: () => string) {
  let said: string | undefined; // the hash of the content last told
  let trouble: string | undefined;
  const readContent = contentReader(file);

  return (found: Uint8Array | Error, always: boolean): SourceChange | undefined => {
    try {
      if (found instanceof Error) throw new UserError(`${file} cannot be read`, { cause: found });
      const state = [nextState()];
      const hash = createHash("sha256").update(found).digest("hex");
      if (hash === said && trouble === undefined && !always) return undefined;
      const entries = readContent(found);
      said = hash;
      trouble = undefined;
      return { kind: "refresh", entries, state };
    } catch (error) {
      const why = reason(error);
      if (why === trouble && !always) return undefined;
      trouble = why;
      return { kind: "trouble", why: said === undefined ? why : `${why}; the last good content stays` };
    }
  };
}
