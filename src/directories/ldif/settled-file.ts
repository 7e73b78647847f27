import { constants, type StatsBase, watch } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { UserError } from "../../core/util/errors.ts";
import type { Clock } from "../../ports/clock.ts";

/** The reading of a file that other programs write, never half-written. */

/** The stamp of a file. Two equal stamps mean the same content. */
export interface Stamp {
  readonly is: string;
  /** The identity of the file: a file that is renamed into place has another one. Undefined for a missing file. */
  readonly inode: string | undefined;
  /** The time of the file's last write, in milliseconds since 1970; 0 for a missing file. */
  readonly written: number;
}

export async function stampOf(file: string): Promise<Stamp> {
  const found = await stat(file, { bigint: true }).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) return { is: `${found.code}`, inode: undefined, written: 0 };
  const inode = `${found.dev} ${found.ino}`;
  return { is: [inode, found.size, found.mtimeNs].join(" "), inode, written: Number(found.mtimeMs) };
}

/** The factor by which the wait for a file written in place is longer, as its writer pauses for longer than a copy. */
export const inPlaceFactor = 5;

export interface SettledOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The time without a change after which a file is finished, in milliseconds. */
  readonly settleAfter: number;
  /** The identity of the earlier file, which may be written in place. */
  readonly inode?: string | undefined;
  /** The longest wait, in milliseconds; unlimited by default. */
  readonly within?: number;
}

/**
 * Waits until a file has not changed for a while, or for the signal, and returns its stamp. Returns undefined if the file
 * still changes after `within`. A growing file, or one that existed before, counts as written in place.
 */
export async function settled(
  file: string,
  { clock, signal, settleAfter, inode, within = Number.POSITIVE_INFINITY }: SettledOptions,
): Promise<Stamp | undefined> {
  const end = clock.monotonic() + within;
  let before = await stampOf(file);
  let inPlace = before.inode === inode;
  for (let stood = 0; ; ) {
    await clock.sleep(settleAfter, signal);
    const after = await stampOf(file);
    if (signal.aborted) return after;
    if (after.is !== before.is) inPlace = after.inode === before.inode || after.inode === inode;
    stood = after.is === before.is ? stood + 1 : 0;
    if (stood >= (inPlace && after.inode !== undefined ? inPlaceFactor : 1)) return after;
    if (stood === 0 && clock.monotonic() >= end) return undefined;
    before = after;
  }
}

/** True if the last line of a file is whole. A file without a newline at its end is being written, or was cut off. */
export const endsLine = (bytes: Uint8Array): boolean => bytes.length === 0 || [0x0a, 0x0d].includes(bytes.at(-1) ?? 0);

/** The message about a file that is still being written. */
export const beingWritten = (file: string): string =>
  `${file} is being written: it is read once it has not changed for a second`;

/** The message about a file whose last line is not whole. */
export const unfinished = (file: string): string =>
  `${file} does not end in a newline: it is still being written, or was cut off, and is not read. If it is whole, type: echo >> ${file}`;

/** Throws a `UserError` unless a file is regular. To read a pipe would wait for ever, and a device may have no end. */
export function mustBeRegular(file: string, found: StatsBase<bigint> | StatsBase<number>): void {
  if (found.isFile()) return;
  const kinds = { isFIFO: "a named pipe", isDirectory: "a folder", isSocket: "a socket" } as const;
  const [, kind = "a device"] = Object.entries(kinds).find(([is]) => found[is as keyof typeof kinds]()) ?? [];
  throw new UserError(
    `${file} is ${kind}, and is not read: put a regular file, or a link to one, in its place, written beside it and renamed`,
  );
}

/** The flags of a reading that never blocks, even if a pipe has replaced the file. */
export const unwaiting = constants.O_RDONLY | constants.O_NONBLOCK;

/** The bytes of a file; undefined if it no longer has the stamp. Throws if it cannot be read. */
export async function readSettled(file: string, stamp: Stamp): Promise<Uint8Array | undefined> {
  mustBeRegular(file, await stat(file, { bigint: true }));
  const bytes = await readFile(file, { flag: unwaiting });
  return (await stampOf(file)).is === stamp.is ? bytes : undefined;
}

/** Calls `changed` at each change of the file that the system reports. Some file systems report none. */
export function watching(file: string, changed: () => void): { renew(): void; close(): void } {
  let watcher: ReturnType<typeof watch> | undefined;
  const close = (): void => {
    watcher?.close();
    watcher = undefined;
  };
  return {
    close,
    /** Tries again to watch if that was not possible before: the folder may be new. */
    renew() {
      if (watcher) return;
      try {
        watcher = watch(dirname(file), (_, name) => {
          if (name === null || name === basename(file)) changed();
        });
        watcher.on("error", close);
      } catch {
        // No folder, or no free watches: polling finds every change too, only later.
      }
    },
  };
}
