import { z } from "zod";
import { column, DomainName, Ip } from "../../core/service/columns.ts";
import type { Select } from "../../core/service/service.ts";
import { MachineIp } from "../machine-address.ts";
import { type ReservedHostNames, unreserved, unreservedAddress } from "../reserved-host-names.ts";

/** The rows of the services of DNS zones: names of a zone with their addresses. */

export interface ZoneNames extends ReservedHostNames {
  /** The zone's name, `campus.example`. */
  readonly zone: string;
  /** The zone's own lines. Each begins with a name that no row may have. */
  readonly records: readonly string[];
  /** True: also addresses that no machine has. */
  readonly anyAddress?: boolean;
}

/** A name of the zone with its addresses; the name may come without the zone, and is read with it. One of the zone's own records is refused. */
export const zoneRow = ({ zone, records, reserved = [], allowed = [], anyAddress = false }: ZoneNames) => {
  const own = new Set(records.map((line) => ownerOf(line, zone)));
  const what = `a host name of the zone ${zone}, alone (pc7) or with it (pc7.${zone}), that is not among the zone's own records`;
  const name = column(what, (text) => {
    const read = DomainName.safeParse(text.includes(".") ? text : `${text}.${zone}`);
    if (!read.success || read.data.includes("_") || !read.data.endsWith(`.${zone}`)) return undefined;
    return own.has(read.data) ? undefined : read.data;
  });
  const whole = reserved.map((one) => (/[.:]/.test(one) ? one : `${one}.${zone}`));
  const ip = anyAddress ? Ip : MachineIp;
  return z.object({
    name: unreserved(name, { reserved: whole, allowed }),
    ips: z.array(unreservedAddress(ip, reserved)).min(1, "is empty: a name needs an address"),
  });
};

/** A name of a zone with its addresses. */
export type ZoneRow = {
  /** The name, alone (`pc7`) or with its zone (`pc7.campus.example`). */
  readonly name: string;
  /** IPv4 and IPv6 addresses, at least one. */
  readonly ips: readonly string[];
};

/** The owner name of a line of a zone. */
export function ownerOf(line: string, zone: string): string {
  const [owner = ""] = line.toLowerCase().split(/\s/);
  if (owner === "@") return zone;
  return owner.endsWith(".") ? owner.slice(0, -1) : `${owner}.${zone}`;
}

/** The hosts of RFC 2307 under their names, with all of their addresses. */
export const hosts: Select<ZoneRow> = (host) => {
  if (!host.is("ipHost") || !host.has("ipHostNumber")) return;
  return { name: host.name, ips: host.all("ipHostNumber") };
};
