import { brokerFaults } from "./broker-faults.ts";
import { type Kind, meanwhile } from "./kind.ts";
import { hostNames, smallDisk, transcribers } from "./network.ts";
import { storeFaults } from "./store-faults.ts";

/** The faults of the network. */

export const faultKinds = {
  ...brokerFaults,
  ...storeFaults,
  "a process is killed": {
    weight: 5,
    targets: hostNames,
    lock: (host) => `process ${host}`,
    longest: 6_000,
    act: ({ processes }, host, wait) =>
      meanwhile(
        wait,
        () => processes.kill9(host),
        () => processes.start(host),
      ),
  },
  "a process stands still": {
    weight: 4,
    targets: hostNames,
    lock: (host) => `process ${host}`,
    longest: 12_000,
    act: ({ processes }, host, wait) =>
      meanwhile(
        wait,
        () => processes.pause(host, true),
        () => processes.pause(host, false),
      ),
  },
  "a host is cut off from the broker": {
    weight: 3,
    targets: hostNames,
    lock: (host) => `cables ${host}`,
    longest: 12_000,
    act: ({ brokerCables }, host, wait) => {
      const cables = brokerCables.get(host) ?? [];
      return meanwhile(
        wait,
        () => cables.forEach((cable) => void cable.pause()),
        () => cables.forEach((cable) => void cable.resume()),
      );
    },
  },
  "connections to the broker are reset": {
    weight: 2,
    targets: hostNames,
    lock: (host) => `cables ${host}`,
    longest: 0,
    act: ({ brokerCables }, host, wait) =>
      meanwhile(
        wait,
        () => brokerCables.get(host)?.forEach((cable) => void cable.cut()),
        () => {},
      ),
  },
  "a transcriber is cut off from the directory": {
    weight: 3,
    targets: transcribers,
    lock: (host) => `directory of ${host}`,
    longest: 12_000,
    act: ({ directoryCables }, host, wait) =>
      meanwhile(
        wait,
        () => directoryCables.get(host)?.pause(),
        () => directoryCables.get(host)?.resume(),
      ),
  },
  "a transcriber's connection to the directory is reset": {
    weight: 2,
    targets: transcribers,
    lock: (host) => `directory of ${host}`,
    longest: 0,
    act: ({ directoryCables }, host, wait) =>
      meanwhile(
        wait,
        () => directoryCables.get(host)?.cut(),
        () => {},
      ),
  },
  "the disk of a host is full": {
    weight: 2,
    targets: [smallDisk],
    lock: () => "disk",
    longest: 10_000,
    async act({ fillDisk }, _, wait) {
      if (!fillDisk) return false;
      return meanwhile(
        wait,
        () => fillDisk(true),
        () => fillDisk(false),
      );
    },
  },
  "slapd is killed": {
    weight: 2,
    targets: ["slapd"],
    lock: () => "slapd",
    longest: 5_000,
    act: ({ slapd }, _, wait) =>
      meanwhile(
        wait,
        () => slapd.kill9(),
        () => slapd.start(),
      ),
  },
  "BIND is killed": {
    weight: 1,
    targets: ["named"],
    lock: () => "named",
    longest: 5_000,
    act: ({ named }, _, wait) =>
      meanwhile(
        wait,
        () => named.kill9(),
        () => named.start(),
      ),
  },
  "BIND stands still": {
    weight: 1,
    targets: ["named"],
    lock: () => "named",
    longest: 8_000,
    act: ({ named }, _, wait) =>
      meanwhile(
        wait,
        () => named.pause(),
        () => named.resume(),
      ),
  },
  "Kea is killed": {
    weight: 2,
    targets: ["kea"],
    lock: () => "kea",
    longest: 5_000,
    async act({ kea }, _, wait) {
      if (!kea) return false;
      return meanwhile(
        wait,
        () => kea.kill("SIGKILL"),
        () => kea.start(),
      );
    },
  },
} satisfies Record<string, Kind>;

export type FaultKind = keyof typeof faultKinds;
