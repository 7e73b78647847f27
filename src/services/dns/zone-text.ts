import { notice } from "../settings.ts";

/** The parts of the text of a zone; names have no final dot. */
export interface Zone {
  /** The zone's name, `campus.example`. */
  readonly name: string;
  readonly path: string;
  /** The time to live of every record, in seconds. */
  readonly ttl: number;
  readonly soa: Soa;
  readonly ns: readonly string[];
  /** Lines from the settings, unchanged. */
  readonly own: readonly string[];
  /** The records of the rows: owner relative to the zone, type and data. */
  readonly records: readonly string[];
}

/** The start of authority (RFC 1035, 3.3.13); times in seconds. */
export interface Soa {
  /** The primary server. */
  readonly mname: string;
  /** The mail address of the person responsible, as a name: `hostmaster.campus.example`. */
  readonly rname: string;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
}

/** The text of a zone (RFC 1035, 5) with a serial. */
export function zoneText({ name, ttl, soa, ns, own, records }: Zone, serial: number): string {
  const { mname, rname, refresh, retry, expire, minimum } = soa;
  return [
    `; ${notice}`,
    `$ORIGIN ${name}.`,
    `$TTL ${ttl}`,
    `@ IN SOA ${mname}. ${rname}. ${serial} ${refresh} ${retry} ${expire} ${minimum}`,
    ...ns.map((server) => `@ IN NS ${server}.`),
    ...own,
    ...records,
    "",
  ].join("\n");
}
