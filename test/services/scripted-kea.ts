import assert from "node:assert/strict";
import { type MemoryMachine, memoryMachine } from "../../src/testing/memory-machine.ts";

type Reservation = Record<string, unknown>;
interface Config {
  Dhcp4: { subnet4: { id: number; subnet: string; reservations: Reservation[] }[]; [word: string]: unknown };
}
interface Command {
  command: string;
  arguments?: Record<string, unknown>;
}

/**
 * A simulated Kea, as far as its control socket shows it, without a network: for commands that Debian's own Kea lacks,
 * and for quick tests.
 */
export function scriptedKea({
  hostCommands = false,
  database = false,
  reservations = [],
}: {
  hostCommands?: boolean;
  database?: boolean;
  reservations?: Reservation[];
} = {}) {
  const told: Command[] = [];
  /** The messages with which Kea refuses a command, by command. */
  const failing = new Map<string, string>();
  const kept: Config[] = [];
  const stored: Reservation[] = [];
  let running: Config = {
    Dhcp4: {
      ...(database && { "hosts-databases": [{ type: "postgresql" }] }),
      subnet4: [{ id: 7, subnet: "10.9.0.0/16", reservations }],
    },
  };
  const clientOf = (one: Reservation): string => `hw-address ${String(one["hw-address"]).toLowerCase()}`;
  const refusal = (given: Config): string | undefined => {
    const seen = new Set<unknown>();
    for (const one of given.Dhcp4.subnet4[0]?.reservations ?? []) {
      if (seen.has(one["ip-address"]))
        return `failed to add new host for the address ${one["ip-address"]}: There's already a reservation`;
      seen.add(one["ip-address"]);
      if (String(one.hostname).startsWith("bad")) return `the hostname '${one.hostname}' is refused`;
    }
    return undefined;
  };
  const list = (): Reservation[] => {
    const [subnet] = running.Dhcp4.subnet4;
    assert.ok(subnet);
    return database ? stored : subnet.reservations;
  };
  const found = (some: Reservation[]) => ({
    result: some.length > 0 ? 0 : 3,
    arguments: { hosts: some.map((one) => ({ "subnet-id": 7, ...one })) },
  });

  const commands: Record<string, (given: Record<string, unknown>) => object> = {
    "list-commands": () => ({ result: 0, arguments: Object.keys(commands) }),
    "config-get": () => ({ result: 0, arguments: { ...structuredClone(running), hash: "0123" } }),
    "config-test": (given) => {
      assert.deepEqual(Object.keys(given), ["Dhcp4"], "Kea knows no other member");
      const why = refusal(given as unknown as Config);
      return why ? { result: 1, text: why } : { result: 0, text: "Configuration seems sane." };
    },
    "config-set": (given) => {
      running = structuredClone(given) as unknown as Config;
      return { result: 0, text: "Configuration successful." };
    },
    "config-write": () => {
      kept.push(structuredClone(running));
      return { result: 0, text: "written" };
    },
    ...(hostCommands && {
      "reservation-add": ({ reservation }: Record<string, unknown>) => {
        const { "subnet-id": subnet, ...one } = reservation as Reservation;
        assert.equal(subnet, 7);
        if (String(one.hostname).startsWith("bad")) return { result: 1, text: "the hostname is refused" };
        if (list().some((other) => clientOf(other) === clientOf(one))) return { result: 1, text: "already there" };
        list().push(one);
        return { result: 0, text: "Host added." };
      },
      "reservation-del": ({ identifier }: Record<string, unknown>) => {
        const at = list().findIndex((one) => one["hw-address"] === identifier);
        if (at < 0) return { result: 1, text: "Host not deleted (not found)." };
        list().splice(at, 1);
        return { result: 0, text: "Host deleted." };
      },
      "reservation-get-by-id": ({ identifier }: Record<string, unknown>) =>
        found(list().filter((one) => one["hw-address"] === identifier)),
      "reservation-get-by-address": ({ "ip-address": ip }: Record<string, unknown>) =>
        found(list().filter((one) => one["ip-address"] === ip)),
      "reservation-get-page": ({ limit, from = 0 }: Record<string, unknown>) => {
        const page = list().slice(Number(from), Number(from) + Math.min(Number(limit), 2)); // small ones, to be several
        const { result, arguments: hosts } = found(page);
        const next = page.length > 0 && { next: { from: Number(from) + page.length, "source-index": 1 } };
        return { result, arguments: { ...hosts, ...next } };
      },
    }),
  };
  const answer = (input: string): object => {
    const asked = JSON.parse(input) as Command;
    told.push(asked);
    const why = failing.get(asked.command);
    if (why !== undefined) return { result: 1, text: why };
    return commands[asked.command]?.(asked.arguments ?? {}) ?? { result: 2, text: "not supported" };
  };
  const machine: MemoryMachine = memoryMachine({
    programs: { "/run/kea/kea4-ctrl-socket": ({ input = "" }) => ({ stdout: JSON.stringify(answer(input)) }) },
  });
  return {
    machine,
    failing,
    kept,
    /** The changes since the last call, without commands that only read. */
    told: () => told.splice(0).flatMap(({ command }) => (/get|test|list/.test(command) ? [] : [command])),
    raw: () => told.splice(0),
    /** `client address` of each reservation that it has. */
    has: () => list().map((one) => `${one["hw-address"]} ${one["ip-address"]}`),
    reservations: list,
  };
}
