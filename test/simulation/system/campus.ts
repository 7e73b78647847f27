import { z } from "zod";
import type { StoredEntry } from "../../../src/core/directory/entry.ts";
import { Hostname, Ipv4 } from "../../../src/core/service/columns.ts";
import type { TableDeclaration } from "../../../src/core/service/service.ts";
import { canonical } from "../../../src/core/stream/cells.ts";
import type { Random } from "../../../src/testing/random.ts";
import { stored } from "../../fixtures/entry.ts";

/**
 * The directory of the simulated campus: people who own machines. The expected rows are computed a second time, in the
 * simplest way.
 */

export interface Person {
  readonly kind: "person";
  readonly banned?: boolean;
  /** The end of the paid term, in milliseconds since 1970. */
  readonly paidUntil?: number;
}
export interface Machine {
  readonly kind: "machine";
  readonly name: string;
  readonly ips: readonly string[];
  /** The uuid of a person. */
  readonly owner: string;
}
/** The entries of the campus, by uuid. */
export type Campus = ReadonlyMap<string, Person | Machine>;

/** The machine and the person that no schedule changes. */
export const rock = { machine: "m-rock", owner: "p-rock", name: "rock", ip: "10.0.0.1" } as const;

const personDn = (uuid: string): string => `uid=${uuid},ou=people,dc=campus`;
const generalized = (at: number): string => `${new Date(at).toISOString().replace(/[-:T]/g, "").slice(0, 14)}Z`;

export function entryOf(uuid: string, thing: Person | Machine): StoredEntry {
  if (thing.kind === "person") {
    return stored(uuid, personDn(uuid), {
      objectClass: "person",
      ...(thing.banned ? { banned: "yes" } : {}),
      ...(thing.paidUntil === undefined ? {} : { paidUntil: generalized(thing.paidUntil) }),
    });
  }
  const { name, ips, owner } = thing;
  return stored(uuid, `cn=${name},ou=${uuid},dc=campus`, {
    objectClass: "device",
    cn: name,
    ip: ips,
    owner: personDn(owner),
  });
}

export const entriesOf = (campus: Campus): StoredEntry[] => [...campus].map(([uuid, thing]) => entryOf(uuid, thing));

type Select = TableDeclaration<object, object, unknown>["select"];
const isServed = (...[machine, directory]: Parameters<Select>): boolean => {
  if (!machine.is("device")) return false;
  const [owner] = directory.follow(machine, "owner");
  return owner !== undefined && !owner.has("banned") && directory.during(undefined, owner.date("paidUntil"));
};

/** A table of one row per machine, which its host keeps in a file. */
export const names = {
  row: z.object({ name: Hostname, ip: Ipv4 }),
  unique: ["name", "ip"] as const,
  select: (...[machine, directory]: Parameters<Select>) =>
    isServed(machine, directory) ? { name: machine.one("cn"), ip: machine.one("ip") } : undefined,
};

/** A table of one row per address, which its host keeps as records of a live daemon. */
export const addresses = {
  row: z.object({ ip: Ipv4, name: Hostname }),
  unique: ["ip"] as const,
  select: (...[machine, directory]: Parameters<Select>) =>
    isServed(machine, directory) ? machine.all("ip").map((ip) => ({ ip, name: machine.one("cn") })) : undefined,
};

export type ServiceName = "names" | "addresses";
export const serviceNames: readonly ServiceName[] = ["names", "addresses"];

/** The expected cell of a key: its row in canonical JSON, and whether it is refused. */
export interface Expected {
  /** Undefined if the entry as a whole is refused. */
  readonly row?: string;
  readonly isRefused: boolean;
}

/** The expected cell of each key at a time. A row that two entries claim is refused, and its row is known. */
export function expected(campus: Campus, service: ServiceName, now: number): Map<string, Expected> {
  const rows: { key: string; name: string; ip: string }[] = [];
  const cells = new Map<string, Expected>();
  for (const [uuid, thing] of campus) {
    if (thing.kind !== "machine") continue;
    const owner = campus.get(thing.owner);
    if (owner?.kind !== "person" || owner.banned) continue;
    if (owner.paidUntil !== undefined && now >= Math.floor(owner.paidUntil / 1000) * 1000) continue;
    const { name, ips } = thing;
    if (service === "addresses") for (const ip of ips) rows.push({ key: `${uuid}/${ip}`, name, ip });
    else if (ips.length === 1) rows.push({ key: uuid, name, ip: ips[0]! });
    else cells.set(uuid, { isRefused: true });
  }
  for (const { key, name, ip } of rows) {
    const claimants = rows.filter((row) => row.ip === ip || (service === "names" && row.name === name));
    cells.set(key, { row: canonical({ name, ip }), isRefused: claimants.length > 1 });
  }
  return cells;
}

/** The first content of the directory in a schedule. */
export function firstCampus(random: Random): Campus {
  const things: [string, Person | Machine][] = [
    [rock.owner, { kind: "person" }],
    [rock.machine, { kind: "machine", name: rock.name, ips: [rock.ip], owner: rock.owner }],
    ["p1", { kind: "person" }],
    ["p2", { kind: "person" }],
  ];
  for (let index = 1 + random.below(4); index > 0; index--) {
    const machine = {
      kind: "machine",
      name: `m${index}`,
      ips: [`10.0.0.${index + 10}`],
      owner: `p${1 + random.below(2)}`,
    };
    things.push([`m${index}`, machine as Machine]);
  }
  return new Map(things);
}
