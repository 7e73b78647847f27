import { hash } from "node:crypto";

const hour = 60 * 60_000;
/** The most lines about one source within an hour. */
const most = 100;
/** The most sources that have a share of their own; the others use the share of the unnamed source. */
const mostSources = 1_000;

/**
 * Logs a line about a source, such as the broker's user who sent a message. The source is undefined if the sender is
 * unknown.
 */
export type SayOnce = (source: string | undefined, line: string) => void;

interface Share {
  readonly since: number;
  /** The hashes of the logged lines, so that long lines take no memory. */
  readonly said: Set<string>;
}

/**
 * Logs each line once an hour, and at most a hundred lines an hour about one source. Thus neither a broken script nor a
 * hostile host fills the log or the memory, or hides lines about others. `monotonic` returns milliseconds that never go
 * back.
 */
export function onceEach(log: (line: string) => void, monotonic: () => number): SayOnce {
  const shares = new Map<string | undefined, Share>();

  function shareOf(source: string | undefined, now: number): Share {
    const share = shares.get(source);
    if (share && now - share.since < hour) return share;
    shares.delete(source);
    for (const [of, { since }] of shares) if (now - since >= hour) shares.delete(of);
    if (source !== undefined && shares.size >= mostSources) return shareOf(undefined, now);
    const fresh = { since: now, said: new Set<string>() };
    shares.set(source, fresh);
    return fresh;
  }

  return (source, line) => {
    const { said } = shareOf(source, monotonic());
    const known = hash("sha256", line, "base64");
    if (said.size > most || said.has(known)) return;
    const about = source === undefined ? "" : ` about ${source}`;
    log(
      said.size < most
        ? line
        : `more than ${most} different lines of this kind${about}: more of them are suppressed for an hour`,
    );
    said.add(known);
  };
}
