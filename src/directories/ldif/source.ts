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
  /**
   * The time without a change before a renamed file is read, in milliseconds; five times as long for one written in
   * place.
   */
  readonly settleAfter?: number;
  /** The interval of polling the file, in milliseconds, as some systems report no changes. */
  readonly every?: number;
}

/** The time for which a file may be written before the log says that it is not read, in milliseconds. */
const settleLimit = 5_000;

/**
 * An LDIF file as a directory. A replaced or rewritten file is delivered whole at each change of its
 * bytes. A missing or wrong file is trouble, reported once per cause, and again at a requested refresh.
 */
export function ldifSource({ file, clock, settleAfter = 200, every = 2000 }: LdifSourceOptions): DirectorySource {
  const nextState = csnMaker(clock);
  const followers = new Set<() => void>();

  async function* changes(signal: AbortSignal): AsyncGenerator<SourceChange> {
    const wake = wakeOf(clock, signal);
    const watcher = watching(file, wake.call);
    let refreshRequested = false;
    const ask = (): void => {
      refreshRequested = true;
      wake.call();
    };
    followers.add(ask);
    const news = newsOf(file, nextState);
    let first = true; // only at first does the file's date show that it is settled: a copy can have an old date
    let done: string | undefined; // the stamp of the last reading
    let inode: string | undefined; // the identity of the last file: a change of that file is written in place
    let since: number | undefined; // the time of the first unread change, in monotonic milliseconds
    try {
      for (let wait = every; !signal.aborted; await wake.wait(wait)) {
        wait = every;
        watcher.renew();
        const seen = await stampOf(file);
        if (seen.is === done && !refreshRequested) continue;
        since ??= clock.monotonic();
        const quiet = seen.is === done || (first && clock.now() - seen.written >= settleAfter * inPlaceFactor);
        if (first) inode = seen.inode;
        const stamp = quiet ? seen : await settled(file, { clock, signal, settleAfter, inode, within: settleLimit });
        if (signal.aborted) return;
        first = false;
        const found = stamp ? await readWhole(file, stamp) : new UserError(beingWritten(file));
        if (found === undefined) {
          wake.call(); // the file changed meanwhile: look again now
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
        const change = news(found, refreshRequested);
        refreshRequested = false;
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

/** The error of a file whose last line is not whole yet. */
class Unfinished extends UserError {}

/** The bytes of a file, or the error of one that cannot be read; undefined if it no longer has the stamp. */
async function readWhole(file: string, stamp: Stamp): Promise<Uint8Array | UserError | undefined> {
  try {
    const bytes = await readSettled(file, stamp);
    return bytes && !endsLine(bytes) ? new Unfinished(unfinished(file)) : bytes;
  } catch (cause) {
    return cause instanceof UserError ? cause : new UserError(`${file} cannot be read`, { cause });
  }
}

/** Makes the delivery after a reading of the file: none if it equals the last one, unless `always`. */
function newsOf(file: string, nextState: () => string) {
  let said: string | undefined; // the hash of the content last delivered
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
