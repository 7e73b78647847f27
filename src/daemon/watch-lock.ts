import { join } from "node:path";
import { UserError } from "../core/util/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Lock } from "../sqlite/lock.ts";

/** The interval at which a host checks that its state is still there, in milliseconds. */
const lockInterval = 1000;

/** Checks until the signal that a host's lock file is still the one it holds. Throws a `UserError` if its state was deleted or replaced. */
export async function watchLock(
  lock: Lock,
  {
    state,
    host,
    clock,
    signal,
  }: { readonly state: string; readonly host: string; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    if (!lock.held()) {
      throw new UserError(`${join(state, host)} was deleted or replaced while ${host} was up: start it again`);
    }
    await clock.sleep(lockInterval, signal);
  }
}
