import type { Kind } from "./kind.ts";
import { hostNames, type Network } from "./network.ts";

/** What can befall the store of a host; what it wrote into daemons of others (`owned.db`) is kept apart for this, and stays. */

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
      // What was copied at an earlier fault is put back, and for the first time what is copied now: by then that is old, too.
      const now = await network.stores.copy(host);
      await wait();
      return down(network, host, () => network.stores.putBack(host, now));
    },
  },
} satisfies Record<string, Kind>;

/** Does something while a host's process is down; over when the host has a store again. */
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
