import { createHash } from "node:crypto";
import { reason, UserError } from "../../core/util/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { DirectorySource, SourceChange } from "../../ports/directory.ts";
import { csnMaker } from "../csn.ts";
import { contentReader } from "./content.ts";
import {
  beingWritten,
  endsLine,
  inPlaceFactor,
  readSettled,
  type Stamp,
  settled,
  stampOf,
  unfinished,
  watching,
} from "./settled-file.ts";
import { wakeOf } from "./wake.ts";

export interface LdifSourceOptions {
  readonly file: string;
  readonly clock: Clock;
  /** The time without a change before a renamed file is read, in milliseconds. A file that is written in place needs five times as long. */
  readonly still?: number;
  /** The interval between two looks at the file where the system reports no changes, in milliseconds. */
  readonly every?: number;
}

/** The time for which a file may be written before the log says that it is not read, in milliseconds. */
const settleLimit = 5_000;

/**
 * An LDIF file as a directory: followed as it is replaced or rewritten, delivered whole each time that its bytes have changed.
 * A file that is missing or wrong is trouble, said once per cause, and again when a refresh is asked for.
 */
export function ldifSource({ file, clock, still = 200, every = 2000 }: LdifSourceOptions): DirectorySource {
  const nextState = csnMaker(clock);
  const followers = new Set<() => void>();

  async function* changes(signal: AbortSignal): AsyncGenerator<SourceChange> {
    const wake = wakeOf(clock, signal);
    const watcher = watching(file, wake.call);
    let asked = false;
    const ask = (): void => {
      asked = true;
      wake.call();
    };
    followers.add(ask);
    const news = newsOf(file, nextState);
    let first = true; // only then may the file's own date tell that it has stood still: a copy can be dated back
    let done: string | undefined; // the stamp of what was last read
    let inode: string | undefined; // of the file that was last there: a change of that one is written in place
    let since: number | undefined; // when a change was seen that is not read yet, in monotonic milliseconds
    try {
      for (let wait = every; !signal.aborted; await wake.wait(wait)) {
        wait = every;
        watcher.renew();
        const seen = await stampOf(file);
        if (seen.is === done && !asked) continue;
        since ??= clock.monotonic();
        const quiet = seen.is === done || (first && clock.now() - seen.written >= still * inPlaceFactor);
        if (first) inode = seen.inode;
        const stamp = quiet ? seen : await settled(file, { clock, signal, still, inode, within: settleLimit });
        if (signal.aborted) return;
        first = false;
        const found = stamp ? await readWhole(file, stamp) : new UserError(beingWritten(file));
        if (found === undefined) {
          wake.call(); // it changed meanwhile: look again now
          continue;
        }
        inode = stamp?.inode ?? inode;
        const left = since + settleLimit - clock.monotonic();
        if (found instanceof Unfinished && left > 0) {
          wait = Math.min(every, left);
          continue;
        }
        since = undefined;
        done = found instanceof UserError && !(found instanceof Unfinished) ? undefined : stamp?.is;
        const change = news(found, asked);
        asked = false;
        if (change) yield change;
      }
    } finally {
      followers.delete(ask);
      watcher.close();
      wake.close();
    }
  }

  return {
    changes,
    refresh() {
      for (const ask of followers) ask();
    },
  };
}

/** A file that has no end yet. */
class Unfinished extends UserError {}

/** The bytes of a file, or why it has none to read; undefined when it no longer is what the stamp says. */
async function readWhole(file: string, stamp: Stamp): Promise<Uint8Array | UserError | undefined> {
  try {
    const bytes = await readSettled(file, stamp);
    return bytes && !endsLine(bytes) ? new Unfinished(unfinished(file)) : bytes;
  } catch (cause) {
    return cause instanceof UserError ? cause : new UserError(`${file} cannot be read`, { cause });
  }
}

/** The delivery after a reading of the file; `always` also if it equals the last one. */
function newsOf(file: string, nextState: () => string) {
  let said: string | undefined; // the hash of the content last told
  let trouble: string | undefined;
  const readContent = contentReader(file);

  return (found: Uint8Array | UserError, always: boolean): SourceChange | undefined => {
    try {
      if (found instanceof UserError) throw found;
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
