import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { z } from "zod";
import type { Host, InstallFile, Step } from "../core/service/host-api.ts";
import { type Rows, service, type WaitingRow } from "../core/service/service.ts";
import { UserError } from "../core/util/errors.ts";
import { claiming, selecting } from "./entries.ts";
import { accounts, commonReply } from "./radius/accounts.ts";
import { Identity, isDevice, Password, type ReplyType, readPassword, replyTypes, Vlan } from "./radius/columns.ts";
import { radiusDaemon, refusedLine } from "./radius/daemon.ts";
import { type MacForm, macForms, nonceIn, type RadiusUser, readUsers, usersFile } from "./radius/users.ts";
import {
  type Daemon,
  type PerHost,
  path,
  type ReadyService,
  readSettings,
  type Schemas,
  type Selected,
  step,
  stepsOf,
} from "./settings.ts";

/** The settings of `freeradius`. */
export interface FreeradiusSettings {
  /** The file of the `files` module; `/etc/freeradius/3.0/mods-config/files/authorize` by default. */
  readonly path?: string;
  /** The folder of the server's configuration; `/etc/freeradius/3.0` by default. */
  readonly config?: string;
  /** The instance of the `files` module that reads the file; `files` by default. */
  readonly module?: string;
  /** The control socket, which must be `mode = rw`; `/var/run/freeradius/freeradius.sock` by default. */
  readonly socket?: string;
  /** The form in which switches write a MAC address as a user name; `aabbccddeeff` by default. */
  readonly macForm?: MacForm;
  /** The check of the staged file; by default the server's own, on a copy of its configuration. */
  readonly check?: Step | false;
  /** The step that makes the server read the file; by default over the control socket. */
  readonly reload?: Step | false;
  /** The server that is asked for the serial of its content; false for no probe. */
  readonly probe?: RadiusProbe | false;
}

/** The server that a probe asks. */
export interface RadiusProbe {
  /** The address of the server; 127.0.0.1 by default. */
  readonly server?: string;
  /** The port of the server; 1812 by default. */
  readonly port?: number;
  /** The file with the secret that the server shares with this host; `/etc/freeradius/3.0/trigger.secret` by default. */
  readonly secretFile?: string;
}

const settings = z.strictObject({
  path: path.default("/etc/freeradius/3.0/mods-config/files/authorize"),
  config: path.default("/etc/freeradius/3.0"),
  module: z
    .string()
    .regex(/^[A-Za-z0-9._-]+$/, "is not the name of a module, such as files")
    .default("files"),
  socket: path.default("/var/run/freeradius/freeradius.sock"),
  macForm: z
    .enum(macForms, `is not a form of MAC address: expected one of ${macForms.join(", ")}`)
    .default(macForms[0]),
  check: step.optional(),
  reload: step.optional(),
  probe: z
    .strictObject({
      server: z.union([z.ipv4(), z.ipv6()], "is not an IP address").default("127.0.0.1"),
      port: z.int().min(1).max(65535, "is not a port").default(1812),
      secretFile: path.default("/etc/freeradius/3.0/trigger.secret"),
    })
    .or(z.literal(false))
    .prefault({}),
} satisfies Schemas<FreeradiusSettings>);

/** The options of `freeradius`. */
export interface FreeradiusOptions extends FreeradiusSettings, PerHost<FreeradiusSettings>, Selected<RadiusUser> {
  /** True: the standard `select` also takes the devices of ieee802Device, for MAC authentication. */
  readonly devices?: boolean;
  /** The attributes that a row's `reply` may have, besides the VLAN, each with its type. */
  readonly reply?: Readonly<Record<string, ReplyType>>;
  /**
   * The refusals that remove a row rather than retain it: `"remove"` for all, or those that are about one of these columns and attributes.
   * `["password", "account", "userPassword", "sambaNTPassword", "claims"]` by default.
   */
  readonly refused?: "remove" | readonly string[];
  /** The daemon whose restart causes a run on all rows; the unit `freeradius` by default. */
  readonly daemon?: Daemon;
}

/** A user with a password, or a device by its MAC address, and the attributes of the reply to it. */
export const radiusRow = (reply: Readonly<Record<string, ReplyType>> = commonReply) =>
  z
    .object({
      /**
       * The password of a user; a device has none. The first column: if several are wrong, the reason begins with it.
       */
      password: Password.optional(),
      name: Identity,
      vlan: Vlan.optional(),
      reply: z.strictObject(columnsOf(reply)).optional(),
    })
    .refine(isWhole, {
      path: ["password"],
      message: "is required for a user, and not allowed for a device (a MAC address)",
    });

/** A user has a password, and a device none. */
const isWhole = ({ name, password }: RadiusUser): boolean => isDevice(name) === (password === undefined);

/**
 * The columns and attributes that decide whether the entry can be admitted at all: its password, and the state of its
 * account.
 */
const credentials = ["password", "account", "userPassword", "sambaNTPassword", "claims"];

type RadiusRow = z.ZodType<RadiusUser, RadiusUser>;

/** The most entries that FreeRADIUS may refuse one by one. With more, the whole file is wrong. */
const refusedLimit = 100;

/**
 * Users and devices for FreeRADIUS, in the file of its `files` module, reloaded without a restart. `chance` is another source of
 * random text than the machine's, for tests.
 *
 * @example
 * ```ts
 * export default freeradius({ devices: true, on: { radius2: { macForm: "AA-BB-CC-DD-EE-FF" } } });
 * ```
 */
export function freeradius(
  options: FreeradiusOptions = {},
  chance: { readonly random?: () => string } = {},
): ReadyService<RadiusUser> {
  const { random = () => randomBytes(4).toString("hex") } = chance;
  const { devices = false, reply, refused = credentials, daemon = { unit: "freeradius" }, ...rest } = options;
  const { select, entries, claims, ...given } = rest;
  const settingsOf = readSettings("freeradius", settings, given, [
    "select",
    "entries",
    "claims",
    "on",
    "devices",
    "reply",
    "refused",
    "daemon",
  ]);
  return service({
    row: radiusRow(reply) as RadiusRow,
    unique: ["name"],
    ...claiming("freeradius", claims),
    secret: ["password"],
    // FreeRADIUS ignores closer reloads: changes meanwhile are applied together.
    pace: 3000,
    daemon,
    refused,
    select: selecting("freeradius", accounts(devices), { select, entries }),
    async run({ rows, changes }, host) {
      const { macForm, check, reload, ...place } = settingsOf(host.name);
      const server = radiusDaemon(host, place);
      const inPlace = await server.inPlace();
      const nonce = nonceIn(inPlace) ?? random();
      const formerly = (key: string): RadiusUser | undefined => {
        if (changes) return changes.find((change) => change.key === key)?.before;
        const name = rows.get(key)?.name;
        return readUsers(inPlace, macForm).find((user) => user.name === name && isWhole(user));
      };
      const refused: WaitingRow[] = [];
      for (;;) {
        const users = usersFile(retaining(rows, refused, formerly), macForm, nonce);
        const missing = reload === undefined ? await server.away() : undefined;
        if (missing && inPlace === users.text) throw missing; // the server reads the file when it starts
        const steps = stepsOf({ check, reload: reload ?? server.reload, probe: place.probe && server.verify });
        const checked = check === undefined ? { ...steps, check: await server.checking() } : steps;
        try {
          await host.install(await fileOf(host, place.path, users.text), checked);
          return { refused };
        } catch (error) {
          const found = check === undefined ? refusedLine(error) : undefined;
          const key = found && users.keyOf(found.line);
          const again = refused.some((row) => row.key === key) || refused.length === refusedLimit;
          if (key === undefined || again) throw error;
          const [before, row] = [formerly(key), rows.get(key)];
          // A changed row loses its earlier password, even if FreeRADIUS refuses another part of the row.
          const gone = before !== undefined && before.password !== row?.password;
          refused.push({ key, why: withoutSecret(found?.why ?? "", row), ...(gone ? { gone } : {}) });
        }
      }
    },
    async observe(host) {
      const { macForm, path, ...place } = settingsOf(host.name);
      if (place.probe) {
        await radiusDaemon(host, { path, ...place })
          .verify()
          .catch((error: Error) => host.log(error.message));
      }
      return readUsers(new TextDecoder().decode(await host.files.read(path)), macForm);
    },
  });
}

/** The rows, with refused ones replaced by their earlier content, unless another row has the name now. */
function* retaining(
  rows: Rows<RadiusUser>,
  refused: readonly WaitingRow[],
  formerly: (key: string) => RadiusUser | undefined,
): Generator<readonly [key: string, user: RadiusUser]> {
  const without = new Set(refused.map(({ key }) => key));
  const gone = new Set(refused.filter((row) => row.gone).map(({ key }) => key));
  const taken = new Set<string>();
  if (refused.length > 0) {
    for (const [key, { name }] of rows.entries()) if (!without.has(key)) taken.add(name);
  }
  for (const [key, row] of rows.entries()) {
    if (gone.has(key)) continue;
    const user = without.has(key) ? formerly(key) : row;
    if (user && !(without.has(key) && taken.has(user.name))) yield [key, user];
  }
}

/** The file has the owner of its folder: it is 0600, and the server must read it. */
async function fileOf(host: Host, path: string, text: string): Promise<InstallFile> {
  const folder = await host.files.stat(dirname(await host.files.resolve(path)));
  return { path, text, ...(folder ? { owner: { uid: folder.uid, gid: folder.gid } } : {}) };
}

function withoutSecret(why: string, row: RadiusUser | undefined): string {
  const value = readPassword(row?.password ?? "")?.value;
  return value === undefined ? why : why.replaceAll(value, "********");
}

function columnsOf(reply: Readonly<Record<string, ReplyType>>) {
  const columns: Record<string, z.ZodType<string | undefined, string | undefined>> = {};
  for (const [attribute, type] of Object.entries(reply)) {
    const place = `freeradius: reply.${attribute}`;
    if (!/^[A-Za-z][A-Za-z0-9._-]{0,63}$/.test(attribute)) throw new UserError(`${place}: is not an attribute's name`);
    // In a reply these would run a program, or continue with other entries.
    if (/^(exec-program.*|fall-through)$/i.test(attribute)) throw new UserError(`${place}: may not be in a reply`);
    if (!Object.hasOwn(replyTypes, type)) {
      throw new UserError(`${place}: is not a type (${JSON.stringify(type)}): ${Object.keys(replyTypes).join(", ")}`);
    }
    columns[attribute] = replyTypes[type].optional();
  }
  return columns;
}
