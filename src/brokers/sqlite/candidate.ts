import { reason } from "../../core/util/errors.ts";
import type { Consumer } from "../../ports/broker.ts";
import { type Lock, takeLock } from "../../sqlite/lock.ts";
import type { Wake } from "./wake.ts";

/** A candidate of an election: active while it has the lock. */
export interface Candidate extends Consumer {
  trouble(): string | undefined;
}

interface Options {
  readonly wake: Wake;
  /** The file that is touched when a candidate leaves. */
  readonly sign: string;
  readonly lockFile: string;
}

/** Takes part in an election: tries to take its lock now, when another candidate leaves, and at every interval. */
export function startCandidate(
  name: string,
  changed: (active: boolean) => void,
  { wake, sign, lockFile }: Options,
): Candidate {
  let lock: Lock | undefined;
  let trouble: string | undefined;
  let closed = false;

  /** Ends the active state, and calls `changed` before the lock is free: two candidates are never active at once. */
  function leave(): void {
    if (!lock) return;
    changed(false);
    lock.release();
    lock = undefined;
  }

  function look(): void {
    if (closed) return;
    try {
      if (lock && !lock.held()) leave();
      if (lock) return;
      lock = takeLock(lockFile);
      trouble = undefined;
      if (lock) changed(true);
    } catch (error) {
      trouble = `election ${name}: ${reason(error)}`;
    }
  }

  const unlisten = wake.listen(sign, look);
  setImmediate(look);

  return {
    trouble: () => trouble,
    async close() {
      if (closed) return;
      closed = true;
      unlisten();
      leave();
      wake.touch(sign);
    },
  };
}
