import { z } from "zod";
import { DomainName, Ip } from "../core/service/columns.ts";
import type { Command, Host, InstallSteps, Step } from "../core/service/host-api.ts";
import { service } from "../core/service/service.ts";
import { canonical } from "../core/stream/cells.ts";
import { UserError } from "../core/util/errors.ts";
import { asUser } from "./as-user.ts";
import { ReverseNetwork, reverseName, reverseZones, zoneAbove } from "./dns/reverse-zone.ts";
import { probeSerials } from "./dns/zone-probe.ts";
import { hosts, ownerOf, type ZoneRow, zoneRow } from "./dns/zone-row.ts";
import { latestSerial, nextSerial, serialIn } from "./dns/zone-serial.ts";
import { type Zone, zoneText } from "./dns/zone-text.ts";
import { claiming, selecting } from "./entries.ts";
import { type ReservedHostNames, reservedSettings } from "./reserved-host-names.ts";
import {
  command,
  type PerHost,
  path,
  type ReadyService,
  readSettings,
  type Schemas,
  type Selected,
  step,
  stepsOf,
} from "./settings.ts";

const seconds = z.int("is not a whole number of seconds").min(0).max(2147483647);

/** The settings of `bindZone`. */
export interface BindZoneSettings extends ReservedHostNames {
  /** The zone of the names: `campus.example`. */
  readonly zone: string;
  /** The networks whose reverse zones are written, too: `["10.0.0.0/16"]`. None by default. */
  readonly reverse?: readonly string[];
  /** The name servers of all the zones, the primary first. */
  readonly ns: readonly string[];
  /** The folder of the zone files, each called `db.` and the zone's name; `/var/lib/bind` by default. */
  readonly directory?: string;
  /** Further lines of the zone, besides those of the rows: `ns1 A 10.0.0.2`. */
  readonly records?: readonly string[];
  /** True: rows may also have addresses that no machine has, such as 127.0.0.2 in a list of senders (RFC 5782). False by default. */
  readonly anyAddress?: boolean;
  /** The time to live of every record, in seconds; 3,600 by default. */
  readonly ttl?: number;
  /** The mail address of the person responsible, as a name; `hostmaster.` and the zone by default. */
  readonly rname?: string;
  /** Seconds after which a secondary server asks for a new serial (SOA); 7,200 by default. */
  readonly refresh?: number;
  /** Seconds after which a secondary server repeats a question that failed (SOA); 1,800 by default. */
  readonly retry?: number;
  /** Seconds after which a secondary server gives up the zone (SOA); 1,209,600 by default. */
  readonly expire?: number;
  /** Seconds for which the absence of a name may be cached (SOA); 300 by default. */
  readonly minimum?: number;
  /** Serials that begin with the day (2026112200, the default), or that rise by one. */
  readonly serial?: "date" | "increment";
  /** A command run for each zone before its file is replaced: `{zone}` is its name, `{staged}` its staged file. `named-checkzone` by default. */
  readonly check?: Command | false;
  /** A command run for each zone whose file was replaced; `rndc reload {zone}` by default. */
  readonly reload?: Command | false;
  /** The server that a probe asks for its serials, a step of your own, or false (the default) for no probe. */
  readonly probe?: { readonly server: string; readonly port?: number } | Step | false;
}

const settings = z.strictObject({
  zone: DomainName,
  reverse: z.array(ReverseNetwork).default([]),
  ns: z.array(DomainName).min(1, "is empty: a zone needs a server"),
  directory: path.default("/var/lib/bind"),
  records: z
    .array(z.string().regex(/^[^\s;$][^\r\n]*\s[^\r\n]+$/, "is not one line that begins with a name"))
    .default([]),
  ...reservedSettings,
  anyAddress: z.boolean("is not true or false").default(false),
  ttl: seconds.default(3600),
  rname: DomainName.optional(),
  refresh: seconds.default(7200),
  retry: seconds.default(1800),
  expire: seconds.default(1209600),
  minimum: seconds.default(300),
  serial: z.enum(["date", "increment"]).default("date"),
  check: command.or(z.literal(false)).default(["named-checkzone", "-i", "local", "{zone}", "{staged}"]),
  reload: command.or(z.literal(false)).default(["rndc", "reload", "{zone}"]),
  probe: z.union([z.strictObject({ server: Ip, port: z.int().default(53) }), step]).default(false),
} satisfies Schemas<BindZoneSettings>);
type Settings = z.output<typeof settings>;

/** The options of `bindZone`. */
export interface BindZoneOptions extends BindZoneSettings, PerHost<BindZoneSettings>, Selected<ZoneRow> {}

/**
 * A zone of BIND with its reverse zones, from names and addresses. The serial rises only with another change.
 * `clock` is another clock than the machine's, for tests.
 *
 * @example
 * ```ts
 * export default bindZone({
 *   zone: "campus.example",
 *   reverse: ["10.0.0.0/16", "2001:db8:1::/48"],
 *   ns: ["ns1.campus.example"],
 *   records: ["ns1 A 10.0.0.2", "@ MX 10 mail"],
 *   probe: { server: "127.0.0.1" },
 * });
 * ```
 */
export function bindZone(options: BindZoneOptions, clock: { readonly now?: () => Date } = {}): ReadyService<ZoneRow> {
  const { now = () => new Date() } = clock;
  const { select, entries, claims, ...given } = options;
  const settingsOf = readSettings("bindZone", settings, given);
  const general = settingsOf("");
  for (const host of ["", ...Object.keys(given.on ?? {})]) requireSound(settingsOf(host), general);
  return service({
    row: zoneRow(general) as z.ZodType<ZoneRow, ZoneRow>,
    unique: ["name", "ips"],
    ...claiming("bindZone", claims),
    select: selecting("bindZone", hosts, { select, entries }),
    async run({ rows }, host) {
      const settings = settingsOf(host.name);
      const zones = zonesOf(settings, rows);
      const files: { path: string; text: string }[] = [];
      for (const zone of zones) files.push(await withSerial(zone, settings, now(), host));
      await host.install(files, steps({ ...settings, reload: await reloadOn(host, settings) }, zones));
      for (const { path, text } of files) host.memory.set(path, String(serialIn(text)));
    },
  });
}

/** The zone and its reverse zones with the records of the rows. */
export function zonesOf(settings: Settings, rows: Iterable<ZoneRow>): Zone[] {
  const { zone, ns, ttl, directory, rname = `hostmaster.${zone}` } = settings;
  const forward: string[] = [];
  const reverse = new Map(settings.reverse.flatMap(reverseZones).map((name) => [name, [] as string[]]));
  for (const { name, ips } of rows) {
    for (const ip of new Set(ips)) {
      forward.push(`${relative(name, zone)} IN ${ip.includes(":") ? "AAAA" : "A"} ${ip}`);
      const pointer = reverseName(ip);
      const above = zoneAbove(pointer, reverse);
      if (above) reverse.get(above)?.push(`${relative(pointer, above)} IN PTR ${name}.`);
    }
  }
  const soa = { ...settings, mname: ns[0] ?? zone, rname };
  const make = (name: string, own: readonly string[], records: readonly string[]): Zone => {
    const path = `${directory}/db.${name}`;
    return { name, path, ttl, soa, ns, own, records };
  };
  return [make(zone, settings.records, forward), ...[...reverse].map(([name, records]) => make(name, [], records))];
}

/** A zone's file: the installed text if only the serial would differ, otherwise a text with the next serial. */
async function withSerial(
  zone: Zone,
  { serial }: Settings,
  today: Date,
  host: Host,
): Promise<{ path: string; text: string }> {
  const bytes = await host.files.read(zone.path);
  const inPlace = bytes && new TextDecoder().decode(bytes);
  const noted = host.memory.get(zone.path);
  const used = latestSerial(inPlace === undefined ? undefined : serialIn(inPlace), noted ? Number(noted) : undefined);
  const same = used !== undefined && inPlace === zoneText(zone, used);
  return { path: zone.path, text: same ? inPlace : zoneText(zone, nextSerial(used, today, serial)) };
}

function steps({ check, reload, probe }: Settings, zones: readonly Zone[]): InstallSteps {
  const each = (command: Command): Step => zones.map((zone) => filled(command, zone));
  const serialProbe = typeof probe === "object" && "server" in probe ? probeSerials(zones, probe) : probe;
  return stepsOf({ check: check && each(check), reload: reload && each(reload), probe: serialProbe });
}

/** The key that rndc reads by default. Debian gives it to the daemon's user. */
const rndcKey = "/etc/bind/rndc.key";

/** The reload with the rights of the user who may write the key of rndc. */
async function reloadOn({ files }: Host, { reload }: Settings): Promise<Command | false> {
  if (reload === false || reload[0] !== "rndc" || reload.includes("-k")) return reload;
  const key = await files.stat(rndcKey);
  return key ? asUser(reload, key) : reload;
}

function filled([program, ...words]: Command, { name, path }: Zone): Command {
  return [program, ...words.map((word) => word.replaceAll("{zone}", name).replaceAll("{staged}", `{staged:${path}}`))];
}

function requireSound(settings: Settings, general: Settings): void {
  const { zone, ns, records } = settings;
  if (zone !== general.zone) throw new UserError(`bindZone: on: the zone is the same on every host, not also ${zone}`);
  for (const option of ["reserved", "allowed", "anyAddress"] as const) {
    if (canonical(settings[option]) === canonical(general[option])) continue;
    throw new UserError(`bindZone: on: ${option} is the same on every host`);
  }
  // A server that lies in the zone needs its address there, even if no row has it: named would not load the zone otherwise.
  const addressed = new Set(records.filter((line) => /\s(A|AAAA)\s/i.test(line)).map((line) => ownerOf(line, zone)));
  const without = ns.find((server) => server.endsWith(`.${zone}`) && !addressed.has(server));
  if (without === undefined) return;
  const example = `${relative(without, zone)} A 10.0.0.2`;
  throw new UserError(`bindZone: ns: ${without} lies in the zone: give its address in records, such as "${example}"`);
}

const relative = (name: string, zone: string): string => name.slice(0, -zone.length - 1);
