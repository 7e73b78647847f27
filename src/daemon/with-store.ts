import type { HostStore } from "../host/store/host-store.ts";
import type { Clock } from "../ports/clock.ts";
import { Unusable } from "../sqlite/integrity.ts";
import { retryWhileBusy } from "../sqlite/open.ts";
import { openStore } from "./store-file.ts";

/** The wait before a damaged store is replaced, in milliseconds: a disk that damages every file must not be filled with them. */
const renewal = 1000;

/** A host whose store is opened. */
export interface StoreOf {
  readonly state: string;
  readonly host: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  log(line: string): void;
}

/** Opens a host's store and runs `work` with it. When the store is found to be damaged, another one takes its place and `work` runs again. */
export async function withStore(
  { state, host, clock, signal, log }: StoreOf,
  work: (store: HostStore) => Promise<void>,
): Promise<void> {
  let damage: Unusable | undefined;
  do {
    if (damage) await clock.sleep(renewal, signal);
    const met = damage;
    const store = await retryWhileBusy(() => openStore(state, host, clock.now(), log, met), signal);
    damage = await work(store)
      .then(() => undefined, damageOf)
      .finally(() => store.close());
  } while (damage);
}

/** The damage of the store that ended the work. Throws any other error. */
function damageOf(error: unknown): Unusable {
  if (error instanceof Unusable) return error;
  throw error;
}
