import { reason } from "../../core/util/errors.ts";
import type { Consumer } from "../../ports/broker.ts";
import { type Lock, takeLock } from "../../sqlite/lock.ts";
import type { Wake } from "./wake.ts";

/** A candidate of an election: active as long as it has the lock. */
export interface Candidate extends Consumer {
  trouble(): string | undefined;
}

interface Options {
  readonly wake: Wake;
  /** The file that is touched when a candidate leaves. */
  readonly sign: string;
  readonly lockFile: string;
}

/** Stands in an election: tries for its lock now, when another candidate leaves, and at every interval. */
export function startCandidate(
  name: string,
  changed: (active: boolean) => void,
  { wake, sign, lockFile }: Options,
): Candidate {
  let lock: Lock | undefined;
  let trouble: string | undefined;
  let closed = false;

  /** Tells the active candidate before the lock is free: no other is active before it has heard of its end. */
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
