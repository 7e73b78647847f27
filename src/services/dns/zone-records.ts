import { Ip } from "../../core/service/columns.ts";
import { reverseName, reverseZones, zoneAbove } from "./reverse-zone.ts";
import type { ZoneRow } from "./zone-row.ts";

/** The records of rows in DNS, and foreign records there, by name. */

/** The records of one name, of the types that a service writes: `3600 A 10.0.0.7`, sorted. A CNAME excludes every other, so it is always included. */
export type NameRecords = readonly string[];

export const hostTypes = ["A", "AAAA", "PTR"] as const;
export type HostType = (typeof hostTypes)[number];

/** A record as a server gives it. */
export interface DnsRecord {
  /** In lower case, without the final dot. */
  readonly name: string;
  readonly ttl: number;
  readonly type: string;
  readonly data: string;
}

export interface LayoutOptions {
  readonly zone: string;
  readonly reverse: readonly string[];
  readonly ttl: number;
  readonly types: readonly HostType[];
}

/** A forward zone with its reverse zones, and the records that a service writes into them. */
export interface Layout {
  /** The forward zone first. */
  readonly zones: readonly string[];
  /** The zone that a name is in; undefined outside all of them. */
  zoneOf(name: string): string | undefined;
  /** The record types that a service reads at a name: it reads, writes and deletes no other. */
  typesAt(name: string): readonly string[];
  /** The records of a row: those of its name, and the pointer of each address in a reverse zone. */
  of(row: ZoneRow): [name: string, records: NameRecords][];
  /** The records of a server, by name. */
  byName(records: Iterable<DnsRecord>): Map<string, NameRecords>;
  /** The name of the row that a name with these records belongs to. */
  hostOf(name: string, records: NameRecords): string;
}

export function layout({ zone, reverse, ttl, types }: LayoutOptions): Layout {
  const zones = [zone, ...(types.includes("PTR") ? reverse.flatMap(reverseZones) : [])];
  const known = new Map(zones.map((name) => [name, true]));
  const forwardTypes = [...types.filter((type) => type !== "PTR"), "CNAME"];
  const reverseTypes = ["PTR", "CNAME"];
  const zoneOf = (name: string): string | undefined => zoneAbove(name, known);
  const typesAt = (name: string): readonly string[] => (zoneOf(name) === zone ? forwardTypes : reverseTypes);

  return {
    zones,
    zoneOf,
    typesAt,
    of({ name, ips }) {
      const mine = [...new Set(ips)].filter((ip) => types.includes(addressType(ip)));
      if (mine.length === 0) return [];
      const pointers = mine.map(reverseName).filter((pointer) => zoneOf(pointer) !== undefined);
      return [
        [name, mine.map((ip) => `${ttl} ${addressType(ip)} ${ip}`).sort()],
        ...pointers.map((pointer): [string, NameRecords] => [pointer, [`${ttl} PTR ${name}`]]),
      ];
    },
    byName(records) {
      const found = new Map<string, Set<string>>();
      for (const { name, ttl, type, data } of records) {
        if (zoneOf(name) === undefined || !typesAt(name).includes(type)) continue;
        const at = found.get(name) ?? new Set();
        found.set(name, at.add(`${ttl} ${type} ${cleanData(type, data)}`));
      }
      return new Map([...found].map(([name, records]) => [name, [...records].sort()]));
    },
    hostOf: (name, records) => (zoneOf(name) === zone ? name : (records[0]?.split(" ")[2] ?? name)),
  };
}

/** The type of the record of an address. */
export const addressType = (ip: string): "A" | "AAAA" => (ip.includes(":") ? "AAAA" : "A");

/** The time to live, type and data of a record of a name. */
export function parts(record: string): [ttl: string, type: string, data: string] {
  const [ttl = "", type = "", data = ""] = record.split(" ");
  return [ttl, type, data];
}

/** The data of a record in the form of rows. */
function cleanData(type: string, data: string): string {
  if (type === "A" || type === "AAAA") return Ip.safeParse(data).data ?? data;
  return data.toLowerCase().replace(/\.$/, "");
}
