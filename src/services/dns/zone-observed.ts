import type { Owned } from "../../core/host.ts";
import { canonical } from "../../core/row.ts";
import { type Layout, type NameRecords, parts } from "./zone-records.ts";
import type { ZoneRow } from "./zone-row.ts";

/**
 * What a server has, as rows: of somebody else's name its addresses, of our own those that it has in full, with its pointer and time to live.
 * A pointer of ours that belongs to no name is a row of its own.
 */
export function servedRows(
  found: ReadonlyMap<string, NameRecords>,
  zones: Layout,
  owned: Pick<Owned, "has">,
): Partial<ZoneRow>[] {
  const [forward] = zones.zones;
  const ours = (name: string): boolean => owned.has(name, canonical(found.get(name) ?? []));
  const whole = (name: string, ip: string): boolean =>
    zones.of({ name, ips: [ip] }).every(([at, wanted]) => {
      const has = found.get(at) ?? [];
      return at === name ? wanted.every((record) => has.includes(record)) : canonical(has) === canonical(wanted);
    });
  const rows: Partial<ZoneRow>[] = [];
  for (const [name, records] of found) {
    if (zones.zoneOf(name) === forward) {
      const ips = records.map(parts).flatMap(([, type, data]) => (type === "CNAME" ? [] : [data]));
      rows.push({ name, ips: (ours(name) ? ips.filter((ip) => whole(name, ip)) : ips).sort() });
    } else if (ours(name) && !found.has(zones.hostOf(name, records))) {
      rows.push({ name, ips: [] });
    }
  }
  return rows;
}
