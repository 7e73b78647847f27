import type { Owned } from "../../core/service/host-api.ts";
import { canonical } from "../../core/stream/cells.ts";
import { type Layout, type NameRecords, parts } from "./zone-records.ts";
import type { ZoneRow } from "./zone-row.ts";

/** A name with its addresses, or an alias or pointer with its records. */
export type ServedRow = Partial<ZoneRow> & { readonly records?: NameRecords };

/**
 * The content of a server, as rows. A foreign name has its addresses; a name of ours has the addresses whose records are
 * complete, with pointer and time to live. A pointer that belongs to no name is a row of its own, foreign or ours.
 */
export function servedRows(
  found: ReadonlyMap<string, NameRecords>,
  zones: Layout,
  owned: Pick<Owned, "has">,
): ServedRow[] {
  const [forward] = zones.zones;
  const ours = (name: string): boolean => owned.has(name, canonical(found.get(name) ?? []));
  const whole = (name: string, ip: string): boolean =>
    zones.of({ name, ips: [ip] }).every(([at, wanted]) => {
      const has = found.get(at) ?? [];
      return at === name ? wanted.every((record) => has.includes(record)) : canonical(has) === canonical(wanted);
    });
  const rows: ServedRow[] = [];
  for (const [name, records] of found) {
    const read = records.map(parts);
    if (read.some(([, type]) => type === "CNAME")) rows.push({ name, records });
    else if (zones.zoneOf(name) === forward) {
      const ips = read.map(([, , data]) => data);
      rows.push({ name, ips: (ours(name) ? ips.filter((ip) => whole(name, ip)) : ips).sort() });
    } else if (!ours(name) || !found.has(zones.hostOf(name, records))) {
      rows.push({ name, records });
    }
  }
  return rows;
}
