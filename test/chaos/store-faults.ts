import type { Kind } from "./kind.ts";
import { hostNames, type Network } from "./network.ts";

/** The faults of a host's store. `owned.db`, the record of its entries in shared daemons, is kept apart and stays. */

export const storeFaults = {
  "a host loses its store": {
    weight: 2,
    targets: hostNames,
    lock: (host) => `process ${host}`,
    longest: 4_000,
    act: (network, host, wait) =>
      down(network, host, async () => {
        network.stores.lose(host);
        await wait();
      }),
  },
  "an older copy of a host's store is put back": {
    weight: 2,
    targets: hostNames,
    lock: (host) => `process ${host}`,
    longest: 8_000,
    async act(network, host, wait) {
      // The copy of an earlier fault is put back. The first time it is the copy made now, which is old by then, too.
      const now = await network.stores.copy(host);
      await wait();
      return down(network, host, () => network.stores.putBack(host, now));
    },
  },
} satisfies Record<string, Kind>;

/** Applies a fault while a host's process is down. Returns once the host has a store again. */
async function down({ processes, stores }: Network, host: string, act: () => Promise<void>): Promise<boolean> {
  await processes.kill9(host);
  try {
    await act();
  } finally {
    processes.start(host);
  }
  await stores.isThere(host);
  return true;
}
