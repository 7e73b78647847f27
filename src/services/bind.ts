import { z } from "zod";
import { DomainName, Hostname, Ip } from "../core/service/columns.ts";
import type { Host } from "../core/service/host-api.ts";
import { service } from "../core/service/service.ts";
import { canonical } from "../core/stream/cells.ts";
import { UserError } from "../core/util/errors.ts";
import { ReverseNetwork } from "./dns/reverse-zone.ts";
import { servedRows } from "./dns/zone-observed.ts";
import { hostTypes, type Layout, layout, type NameRecords } from "./dns/zone-records.ts";
import { hosts, type ZoneRow, zoneRow } from "./dns/zone-row.ts";
import { serialNotes } from "./dns/zone-serial-notes.ts";
import { type ZoneServer, zoneServer } from "./dns/zone-server.ts";
import { zoneWriter } from "./dns/zone-writer.ts";
import { claiming, selecting } from "./entries.ts";
import { converge, type Move } from "./records.ts";
import { type ReservedHostNames, reservedSettings } from "./reserved-host-names.ts";
import {
  type Daemon,
  type PerHost,
  path,
  type ReadyService,
  readSettings,
  type Schemas,
  type Selected,
} from "./settings.ts";

/** The settings of `bind`. */
export interface BindSettings extends ReservedHostNames {
  /** The zone of the names: `campus.example`. */
  readonly zone: string;
  /** The networks whose reverse zones are written, too: `["10.0.0.0/16"]`. None by default. */
  readonly reverse?: readonly string[];
  /** The primary server, which is updated, transferred and asked: an address or a name; 127.0.0.1 by default. */
  readonly server?: string;
  /** The port of the server; 53 by default. */
  readonly port?: number;
  /** The file of the TSIG key, as tsig-keygen writes it; `/etc/bind/trigger.key` by default. */
  readonly key?: string;
  /** Seconds that the server may take for one answer, 1 to 60; 5 by default. */
  readonly timeout?: number;
  /** The time to live of every record, in seconds; 3,600 by default. */
  readonly ttl?: number;
  /** The types of record that are written; records of other types are left alone. All three by default. */
  readonly types?: readonly ("A" | "AAAA" | "PTR")[];
  /** True: rows may also have addresses that no machine has, such as 127.0.0.2 in a list of senders (RFC 5782). False by default. */
  readonly anyAddress?: boolean;
  /** The daemon whose restart causes a run on all rows; systemd's `named` by default, if the server is this machine. False for none. */
  readonly daemon?: Daemon | false;
}

const settings = z.strictObject({
  zone: DomainName,
  reverse: z.array(ReverseNetwork).default([]),
  server: z.union([Ip, DomainName, Hostname], "is not an address or name of a server").default("127.0.0.1"),
  port: z.int("is not a port").min(1, "is not a port").max(65535, "is not a port").default(53),
  key: path.default("/etc/bind/trigger.key"),
  timeout: z.int("is not a whole number of seconds").min(1).max(60).default(5),
  ttl: z.int("is not a whole number of seconds").min(0).max(2147483647).default(3600),
  types: z
    .array(z.enum(hostTypes, "is not A, AAAA or PTR"))
    .refine((types) => types.includes("A") || types.includes("AAAA"), "has neither A nor AAAA")
    .default([...hostTypes]),
  ...reservedSettings,
  anyAddress: z.boolean("is not true or false").default(false),
  daemon: z
    .union([z.strictObject({ unit: z.string().min(1) }), z.strictObject({ pidFile: path }), z.literal(false)])
    .optional(),
} satisfies Schemas<BindSettings>);
type Settings = z.output<typeof settings>;

/** The options of `bind`. */
export interface BindOptions extends BindSettings, PerHost<BindSettings>, Selected<ZoneRow> {}

/** The most changed names of a zone that a run looks up at its end. */
const lookedUp = 25;

/**
 * The names of a zone, and their addresses in its reverse zones, on any server that takes dynamic updates (RFC 2136), signed (TSIG, RFC 8945).
 * Others may write to the same zones: trigger leaves their records alone.
 *
 * @example
 * ```ts
 * export default bind({ zone: "campus.example", reverse: ["10.0.0.0/16", "2001:db8:1::/48"] });
 * ```
 */
export function bind(options: BindOptions): ReadyService<ZoneRow> {
  const { select, entries, claims, ...given } = options;
  const settingsOf = readSettings("bind", settings, given);
  const general = settingsOf("");
  for (const host of Object.keys(given.on ?? {})) requireSame(settingsOf(host), general);
  const daemon = general.daemon ?? (isHere(general.server) ? { unit: "named" } : undefined);
  return service({
    row: bindRow(general) as z.ZodType<ZoneRow, ZoneRow>,
    unique: ["name", "ips"],
    ...claiming("bind", claims),
    shared: true,
    ...(daemon ? { daemon } : {}),
    select: selecting("bind", hosts, { select, entries }),
    async run(table, host) {
      const { zones, server } = await open(settingsOf(host.name), host);
      const notes = serialNotes(server, host);
      const bring = async (changes: typeof table.changes) => {
        const writer = zoneWriter(zones, server);
        const { result, moves } = await converge({ ...table, changes }, host, { ...zones, ...server, ...writer });
        if (writer.dry()) return result;
        const serving = await verify(moves, zones, server, host);
        notes.written(moves.flatMap(({ name }) => zones.zoneOf(name) ?? []));
        return { ...result, serving };
      };
      let result = await bring(table.changes);
      const older = table.changes && notes.older();
      if (older) {
        host.log(`${older}: this is not the zone last written, so it is compared as a whole`);
        result = await bring(undefined);
      }
      notes.keep();
      return result;
    },
    async observe(host) {
      const { zones, server } = await open(settingsOf(host.name), host);
      return servedRows(await server.look(), zones, host.owned);
    },
  });
}

/** A row with sorted addresses, as a server may give them in any order. */
const bindRow = (settings: Settings) => {
  const row = zoneRow({ ...settings, records: [] });
  return row.extend({ ips: row.shape.ips.overwrite((ips) => [...new Set(ips)].sort()) });
};

async function open({ key, ...settings }: Settings, host: Host) {
  const [bytes, owner] = [await host.files.read(key), await host.files.stat(key)];
  if (owner && owner.uid !== 0 && process.geteuid?.() === 0) {
    const why = "nsupdate would read, as root, any file that this user includes there";
    throw new Error(`${key} belongs to uid ${owner.uid}: ${why}: chown root ${key}`);
  }
  if (!bytes) {
    throw new Error(`there is no key file ${key}: tsig-keygen trigger > ${key}, and include "${key}"; in named.conf`);
  }
  const name = /^\s*key\s+"?([^"\s{;]+)/m.exec(new TextDecoder().decode(bytes))?.[1] ?? "trigger";
  const zones = layout(settings);
  return { zones, server: zoneServer({ ...settings, key: { path: key, name } }, zones, host) };
}

/** True if the server answers with the written records, for some of the names. */
async function verify(moves: readonly Move<NameRecords>[], zones: Layout, server: ZoneServer, host: Host) {
  const asked = zones.zones.flatMap((zone) =>
    moves.filter(({ name }) => zones.zoneOf(name) === zone).slice(0, lookedUp),
  );
  const meant = new Map(asked.flatMap(({ name, after }) => (after === undefined ? [] : [[name, after] as const])));
  const served = await server.look(new Set(asked.map(({ name }) => name)), meant);
  const text = (records: NameRecords | undefined): string => canonical(records ?? null);
  const wrong = asked.find(({ name }) => text(meant.get(name)) !== text(served.get(name)));
  if (wrong === undefined) return true;
  const [took, answers] = [text(wrong.after), text(served.get(wrong.name))];
  host.log(`${wrong.name}: the server took ${took} and answers ${answers}: is it below a delegation?`);
  return false;
}

function requireSame(special: Settings, general: Settings): void {
  for (const option of ["zone", "reserved", "allowed", "anyAddress", "daemon"] as const) {
    if (canonical(special[option] ?? null) !== canonical(general[option] ?? null)) {
      throw new UserError(`bind: on: ${option} is the same on every host`);
    }
  }
}

const isHere = (server: string): boolean => server === "::1" || server === "localhost" || server.startsWith("127.");
