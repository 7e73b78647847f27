import { nodeNames } from "../servers/cluster.ts";
import { gaveUp, joinAgain, reaches, together } from "../servers/together.ts";
import { until } from "../until.ts";
import { type Kind, meanwhile } from "./kind.ts";
import type { Network } from "./network.ts";

/** The faults of the broker; one at a time. */

const lock = (): string => "broker";

/** The network partitions: the cables that each of them cuts. */
const splits: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  ...Object.fromEntries(
    nodeNames.map((name) => [
      `${name} from the others`,
      nodeNames.filter((other) => other !== name).map((other) => [name, other] as const),
    ]),
  ),
  "one from two": [["one", "two"]],
  "two from three": [["two", "three"]],
  "each from each": [
    ["one", "two"],
    ["one", "three"],
    ["two", "three"],
  ],
};

/**
 * The longest time until the nodes give each other up, in milliseconds: `net_ticktime` and a quarter, on a busy
 * machine.
 */
const givenUpWithin = 60_000;

export const brokerFaults = {
  "a node of the broker is killed": {
    weight: 1,
    targets: nodeNames,
    lock,
    longest: 8_000,
    act: ({ cluster }, name, wait) =>
      meanwhile(
        wait,
        () => cluster.node(name).kill9(),
        () => cluster.node(name).restart(),
      ),
  },
  "a node of the broker stands still": {
    weight: 1,
    targets: nodeNames,
    lock,
    longest: 15_000,
    act: ({ cluster }, name, wait) =>
      meanwhile(
        wait,
        () => cluster.node(name).pause(),
        () => cluster.node(name).resume(),
      ),
  },
  "a node of the broker loses its disk": {
    weight: 1.5,
    targets: nodeNames,
    lock,
    longest: 6_000,
    goesOn: 20_000,
    async act({ cluster }, name, wait) {
      await together(cluster); // never two nodes at once
      return meanwhile(
        wait,
        () => cluster.node(name).loseDisk(),
        () => joinAgain(cluster, name),
      );
    },
  },
  "nodes of the broker hear nothing of each other for a moment": {
    weight: 0.5,
    targets: Object.keys(splits),
    lock,
    longest: 3_000,
    act: (network, which, wait) => split(network, which, wait),
  },
  "nodes of the broker lose sight of each other": {
    weight: 1.5,
    targets: Object.keys(splits),
    lock,
    longest: 12_000,
    goesOn: 15_000,
    act: (network, which, wait) =>
      split(network, which, async () => {
        for (const [one, other] of splits[which] ?? []) {
          await until(() => gaveUp(network.cluster.node(one), other), { within: givenUpWithin });
          await until(() => gaveUp(network.cluster.node(other), one), { within: givenUpWithin });
        }
        await wait();
      }),
  },
  "the queue of a table is purged": {
    weight: 1,
    targets: ["ns-dns", "gate-names", "mail-aliases", "box-names"],
    lock,
    longest: 0,
    async act({ cluster }, table) {
      await cluster.node("one").ctl("purge_queue", `trigger-${table}`);
      return true;
    },
  },
} satisfies Record<string, Kind>;

/** Cuts the cables between nodes; clients still reach all nodes. Returns once the nodes form one cluster again. */
function split({ cluster }: Network, which: string, wait: () => Promise<void>): Promise<boolean> {
  const pairs = splits[which] ?? [];
  const cables = pairs.flatMap(([one, other]) => cluster.cables(one, other));
  return meanwhile(
    async () => {
      for (const [one, other] of pairs) {
        if (await reaches(cluster.node(one), other)) throw new Error(`${one} still reaches ${other}`);
      }
      await wait();
    },
    () => cables.forEach((cable) => void cable.pause()),
    async () => {
      cables.forEach((cable) => void cable.resume());
      await together(cluster);
    },
  );
}
