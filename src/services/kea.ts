import { z } from "zod";
import type { Command, Host } from "../core/service/host-api.ts";
import type { Run, RunResult, WaitingRow } from "../core/service/service.ts";
import { canonical } from "../core/stream/cells.ts";
import { UserError } from "../core/util/errors.ts";
import { claiming, selecting } from "./entries.ts";
import { byHostCommands } from "./kea/commands.ts";
import { configuration } from "./kea/config.ts";
import { control, done } from "./kea/control.ts";
import { byDatabase } from "./kea/database.ts";
import { freeingLeases } from "./kea/leases.ts";
import { type ClientColumn, contentOfRow, type KeaRow, type KeaRowBy, machines, rowOf } from "./kea/row.ts";
import { byConfigSet } from "./kea/set.ts";
import type { Kea, Way } from "./kea/ways.ts";
import { converge } from "./records.ts";
import { type ReservedHostNames, reservedSettings } from "./reserved-host-names.ts";
import {
  command,
  type Daemon,
  type PerHost,
  path,
  type ReadyService,
  readSettings,
  type Schemas,
  type Selected,
} from "./settings.ts";

/** The settings of `kea`. */
export interface KeaSettings extends ReservedHostNames {
  /** The family of the addresses: 4 (kea-dhcp4, the default) or 6 (kea-dhcp6). */
  readonly family?: 4 | 6;
  /** The column that names a client: its MAC address (the default) or its DUID. */
  readonly by?: ClientColumn;
  /** The control socket; `/run/kea/kea4-ctrl-socket` or `/run/kea/kea6-ctrl-socket` by default. */
  readonly socket?: string;
  /** The place of a reservation: in the subnet of its address (the default), or among the global ones. */
  readonly where?: "subnet" | "global";
  /** The file to which config-write puts the running configuration: the one that Kea was started with (true, the default), another one, or none (false). */
  readonly write?: boolean | string;
  /** True: when an address is reserved for a client, the lease of another client on it is ended. False by default. */
  readonly freeLeases?: boolean;
  /** The PostgreSQL database in which Kea looks for reservations, as libpq names it; the password is in a file (`passfile=`, `~/.pgpass`). */
  readonly database?: string;
  /** The command before the options of psql: another place, or another user; `psql` by default. */
  readonly psql?: Command;
}

const settings = z.strictObject({
  family: z.literal([4, 6], "is not 4 (kea-dhcp4) or 6 (kea-dhcp6)").default(4),
  by: z.enum(["mac", "duid"], "is not a way to name a client: expected mac or duid").default("mac"),
  socket: path.optional(),
  where: z.enum(["subnet", "global"], 'is no place for reservations: expected "subnet" or "global"').default("subnet"),
  write: z.union([z.boolean(), path], "is not true, false or an absolute path").default(true),
  freeLeases: z.boolean("is not true or false").default(false),
  database: z
    .string()
    .min(1, 'is empty: expected a connection string, such as "host=localhost dbname=kea user=kea"')
    .regex(/^[^\x00-\x1f]*$/, "has a control character")
    .refine(
      (text) => !/password\s*=/i.test(text) && !/^\w+:\/\/[^/@]*:[^/@]*@/.test(text),
      "has a password, which every user of the machine could read: put it into a file and say passfile=/etc/trigger/kea.pgpass",
    )
    .optional(),
  psql: command.default(["psql"]),
  ...reservedSettings,
} satisfies Schemas<KeaSettings>);
type Settings = z.output<typeof settings>;

/** The options of `kea`; the rows have the column that `by` names. */
export type KeaOptions = KeaByMac | KeaByDuid;

/** The options of `kea` with MAC addresses as the names of clients. */
export interface KeaByMac extends KeaSettings, PerHost<KeaSettings>, Selected<KeaRowBy<"mac">> {
  /** The column that names a client. */
  readonly by?: "mac";
  /** The daemon whose restart causes a run on all rows; the systemd unit of Debian by default. */
  readonly daemon?: Daemon;
}

/** The options of `kea` with DUIDs (RFC 8415, 11) as the names of clients. */
export interface KeaByDuid extends KeaSettings, PerHost<KeaSettings>, Selected<KeaRowBy<"duid">> {
  /** The column that names a client. */
  readonly by: "duid";
  /** The daemon whose restart causes a run on all rows; the systemd unit of Debian by default. */
  readonly daemon?: Daemon;
}

/**
 * The reservations of a running Kea DHCP: in its database if one is given, by its host commands if it has them, otherwise by a new configuration.
 * trigger leaves the reservations of others alone.
 *
 * @example
 * ```ts
 * export default kea({ socket: "/run/kea/kea4-ctrl-socket" });
 * ```
 */
export function kea(options: KeaOptions = {}): ReadyService<KeaRow> {
  const { select, entries, claims, daemon, ...given } = options;
  const settingsOf = readSettings("kea", settings, given, ["select", "entries", "claims", "on", "daemon"]);
  const general = settingsOf("");
  const { family, by } = general;
  for (const host of Object.keys(given.on ?? {})) {
    const other = settingsOf(host);
    const same = ["family", "by", "reserved", "allowed"] as const;
    if (same.every((option) => canonical(other[option]) === canonical(general[option]))) continue;
    throw new UserError(`kea: on.${host}: ${same.join(", ")} are the same on every host, because the rows are`);
  }
  if (by === "duid" && !select) throw new UserError("kea: by: duid: no standard attribute has it: give a select");

  const table = {
    row: rowOf(family, by, general),
    unique: [by, "ip"],
    ...claiming("kea", claims),
    shared: true,
    daemon: daemon ?? { unit: `kea-dhcp${family}-server` },
    select: selecting<object>("kea", machines(family), { select, entries }),
    async run(run: Run<KeaRow>, host: Host): Promise<RunResult> {
      const result = await once(run, settingsOf(host.name), host);
      // A reservation of ours still has an address that it should have given up: a comparison of the whole repairs that.
      return result ?? once({ ...run, changes: undefined }, settingsOf(host.name), host);
    },
    async observe(host: Host): Promise<Iterable<object>> {
      const { way } = await reach(settingsOf(host.name), host);
      const columns = { name: undefined, classes: undefined };
      return [...(await way.look())].map(([name, content]) => ({ [by]: name, ...columns, ...content }));
    },
  };
  return { table } as unknown as ReadyService<KeaRow>;
}

/**
 * Makes a Kea match the rows. Undefined if a reservation of ours that is not among the changes conflicts with them.
 */
async function once(run: Run<KeaRow>, settings: Settings, host: Host): Promise<Exclude<RunResult, void> | undefined> {
  const { kea, way } = await reach(settings, host);
  const { look, write, keep } = way;
  const of = (row: KeaRow) => [[(row as AnyKey)[settings.by], contentOfRow(row)] as const];
  const { result } = await converge(run, host, { of, look, write });
  if (run.changes && kea.conflicts.ours.size > 0) return undefined;
  if (run.interrupted) await keep();
  const isForeign = ({ why }: WaitingRow): boolean => kea.conflicts.foreign.has(why);
  const { refused = [], held = [] } = result;
  return {
    refused: refused.filter((one) => !isForeign(one)),
    held: [...held, ...refused.filter(isForeign)],
    serving: true,
  };
}
type AnyKey = KeaRowBy<"mac"> & KeaRowBy<"duid">;

/** Reads the commands and the configuration of a Kea, and chooses the way to change its reservations. */
async function reach(settings: Settings, host: Host): Promise<{ readonly kea: Kea; readonly way: Way }> {
  const { family, by, socket, where, write } = settings;
  const to = control(host, socket ?? `/run/kea/kea${family}-ctrl-socket`);
  const identifier = by === "mac" ? "hw-address" : "duid";
  const commands = await to.ask("list-commands");
  done("list-commands", commands);
  const running = await to.ask("config-get");
  done("config-get", running);
  const kea: Kea = {
    host,
    control: to,
    commands: new Set(z.array(z.string()).parse(commands.arguments)),
    config: configuration(running.arguments, family, identifier, where),
    family,
    by: identifier,
    conflicts: { foreign: new Set(), ours: new Set() },
    async keep() {
      if (write === false) return;
      const { result, text } = await to.tell("config-write", write === true ? undefined : { filename: write });
      if (result !== 0) throw new Error(`applied until Kea restarts, and not saved: config-write: ${text}`);
    },
  };
  const way = wayOf(kea, settings);
  return { kea, way: settings.freeLeases ? freeingLeases(kea, way) : way };
}

/** The quickest way that this Kea has. */
function wayOf(kea: Kea, { database, psql }: Settings): Way {
  if (kea.commands.has("reservation-add")) return byHostCommands(kea);
  return database === undefined ? byConfigSet(kea) : byDatabase(kea, database, psql);
}
