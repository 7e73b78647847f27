import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { z } from "zod";
import { Mac } from "../core/columns.ts";
import type { Host, InstallFile, InstallSteps } from "../core/host.ts";
import { Refusal, UserError } from "../core/outcome.ts";
import { type KeptRow, type Rows, type Select, service } from "../core/service.ts";
import { Identity, isDevice, Password, readPassword, replyTypes, schemes, Vlan } from "./radius-columns.ts";
import { radiusDaemon } from "./radius-daemon.ts";
import { macForms, nonceIn, type RadiusUser, readUsers, usersFile } from "./radius-users.ts";
import { type Options, path, readSettings, step, stepsOf } from "./settings.ts";

type ReplyType = keyof typeof replyTypes;

const settings = z.strictObject({
  /** The file of the `files` module; Debian's own place. */
  path: path.default("/etc/freeradius/3.0/mods-config/files/authorize"),
  /** The folder of the server's configuration. */
  config: path.default("/etc/freeradius/3.0"),
  /** The instance of the `files` module that reads the file. */
  module: z
    .string()
    .regex(/^[A-Za-z0-9._-]+$/, "is not the name of a module, such as files")
    .default("files"),
  /** The control socket, which must be `mode = rw`. */
  socket: path.default("/var/run/freeradius/freeradius.sock"),
  /** How the switches write a MAC address as a user name. */
  macForm: z
    .enum(macForms, `is not a form of MAC address: expected one of ${macForms.join(", ")}`)
    .default(macForms[0]),
  check: step.optional(),
  reload: step.optional(),
  /** Where the server is asked for the serial of its content, and the file with the secret that it shares with this host; false for no proof. */
  probe: z
    .strictObject({
      server: z.union([z.ipv4(), z.ipv6()], "is not an IP address").default("127.0.0.1"),
      port: z.int().min(1).max(65535, "is not a port").default(1812),
      secretFile: path.default("/etc/freeradius/3.0/trigger.secret"),
    })
    .or(z.literal(false))
    .prefault({}),
});

/** What a reply may have beside the VLAN, and of which type, when no option says so. */
const commonReply = {
  "Session-Timeout": "number",
  "Idle-Timeout": "number",
  "Filter-Id": "text",
  "Framed-IP-Address": "ipv4",
} as const;

/** A user with a password or a device by its MAC address, and what the answer to it says. */
export const radiusRow = (reply: Readonly<Record<string, ReplyType>> = commonReply) =>
  z
    .object({
      name: Identity,
      /** Of a user; a device has none. */
      password: Password.optional(),
      vlan: Vlan.optional(),
      reply: z.strictObject(columnsOf(reply)).optional(),
    })
    .refine(({ name, password }) => isDevice(name) === (password === undefined), {
      path: ["password"],
      message: "is what a user must have and a device (a MAC address) cannot",
    });

type RadiusRow = z.ZodType<RadiusUser, RadiusUser>;

/** So many single entries that FreeRADIUS does not take are found out one by one; more are a mistake of the whole. */
const refusedLimit = 100;

/**
 * Users and devices for FreeRADIUS, in the file of its `files` module, reloaded without a restart.
 *
 * @example
 * export default freeradius({ devices: true, on: { radius2: { macForm: "AA-BB-CC-DD-EE-FF" } } });
 */
export function freeradius(
  options: Options<typeof settings, RadiusUser> & {
    /** Whether the default `select` also takes the devices of ieee802Device, for MAC authentication. */
    readonly devices?: boolean;
    /** The attributes that a row's `reply` may have, beside the VLAN, each with its type. */
    readonly reply?: Readonly<Record<string, ReplyType>>;
    /** The daemon whose restart makes its state unknown. */
    readonly daemon?: { readonly unit: string } | { readonly pidFile: string };
  } = {},
  { random = () => randomBytes(4).toString("hex") }: { readonly random?: () => string } = {},
) {
  const { devices = false, reply, daemon = { unit: "freeradius" }, ...rest } = options;
  const { select = accounts(devices), ...given } = rest;
  const settingsOf = readSettings("freeradius", settings, given, ["select", "on", "devices", "reply", "daemon"]);
  return service({
    row: radiusRow(reply) as RadiusRow,
    unique: ["name"],
    secret: ["password"],
    // Closer reloads are ignored: what changes meanwhile goes together.
    pace: 3000,
    daemon,
    select,
    async run({ rows, changes = [] }, host) {
      const { macForm, check, reload, ...place } = settingsOf(host.name);
      const server = radiusDaemon(host, place);
      const formerly = new Map(changes.map(({ key, before }) => [key, before]));
      const inPlace = await server.inPlace();
      const nonce = nonceIn(inPlace) ?? random();
      const refused: KeptRow[] = [];
      for (;;) {
        const users = usersFile(kept(rows, refused, formerly), macForm, nonce);
        const missing = reload === undefined ? await server.away() : undefined;
        if (missing && inPlace === users.text) throw missing; // it reads the file when it starts
        const steps = stepsOf({
          check: check ?? (await server.checking()),
          reload: reload ?? server.reload,
          probe: place.probe && server.prove,
        });
        try {
          await host.install(await fileOf(host, place.path, users.text), steps as InstallSteps);
          return { refused };
        } catch (error) {
          const found = check === undefined ? await server.refusedLine() : undefined;
          const key = found && users.keyOf(found.line);
          const again = refused.some((row) => row.key === key) || refused.length === refusedLimit;
          if (key === undefined || again) throw error;
          refused.push({ key, why: withoutSecret(found?.why ?? "", rows.get(key)) });
        }
      }
    },
    async observe(host) {
      const { macForm, path, ...place } = settingsOf(host.name);
      if (place.probe) {
        await radiusDaemon(host, { path, ...place })
          .prove()
          .catch((error: Error) => host.log(error.message));
      }
      return readUsers(new TextDecoder().decode(await host.files.read(path)), macForm);
    },
  });
}

/** The rows with what they were before, unless another has the name now, in the place of those that FreeRADIUS refuses. */
function* kept(
  rows: Rows<RadiusUser>,
  refused: readonly KeptRow[],
  formerly: ReadonlyMap<string, RadiusUser | undefined>,
): Generator<readonly [key: string, user: RadiusUser]> {
  const without = new Set(refused.map(({ key }) => key));
  const taken = new Set<string>();
  if (refused.length > 0) {
    for (const [key, { name }] of rows.entries()) if (!without.has(key)) taken.add(name);
  }
  for (const [key, row] of rows.entries()) {
    const user = without.has(key) ? formerly.get(key) : row;
    if (user && !(without.has(key) && taken.has(user.name))) yield [key, user];
  }
}

/** The file belongs to whoever its folder belongs to: it is 0600, and the server must read it. */
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
    // In a reply these would run a program, or go on to other entries.
    if (/^(exec-program.*|fall-through)$/i.test(attribute)) throw new UserError(`${place}: is no answer to a client`);
    if (!Object.hasOwn(replyTypes, type)) {
      throw new UserError(`${place}: is not a type (${JSON.stringify(type)}): ${Object.keys(replyTypes).join(", ")}`);
    }
    columns[attribute] = replyTypes[type].optional();
  }
  return columns;
}

/** The LDAP attributes (FreeRADIUS's schema, radiusprofile) of the common reply. */
const profile = {
  "Session-Timeout": "radiusSessionTimeout",
  "Idle-Timeout": "radiusIdleTimeout",
  "Filter-Id": "radiusFilterId",
  "Framed-IP-Address": "radiusFramedIPAddress",
} as const satisfies Record<keyof typeof commonReply, string>;

/** Accounts with a password that FreeRADIUS can check, and devices where they are asked for; with the VLAN and the reply of a radiusprofile. */
const accounts =
  (devices: boolean): Select<RadiusUser> =>
  (entry) => {
    const isProfile = entry.is("radiusprofile");
    if (isProfile && entry.maybe("dialupAccess")?.toLowerCase() === "false") return;
    const vlan = isProfile ? entry.maybe("radiusTunnelPrivateGroupId") : undefined;
    const said = Object.entries(isProfile ? profile : {}).flatMap(([name, attribute]) => {
      const value = entry.maybe(attribute);
      return value === undefined ? [] : [[name, value] as const];
    });
    const answer = {
      ...(vlan === undefined ? {} : { vlan }),
      ...(said.length > 0 ? { reply: Object.fromEntries(said) } : {}),
    };
    if (entry.is("ieee802Device")) {
      if (!devices) return;
      return entry.all("macAddress").map((mac) => ({ name: Mac.safeParse(mac).data ?? mac, ...answer }));
    }
    if (!entry.has("uid") || !(isProfile || entry.is("posixAccount"))) return;
    const nt = entry.maybe("sambaNTPassword");
    const values = nt === undefined ? entry.all("userPassword") : [`{NT}${nt}`];
    const usable = values
      .map((value) => readPassword(/^\{[^}]*\}/.test(value) ? value : `{CLEARTEXT}${value}`))
      .filter((password) => password !== undefined);
    const [best] = Object.keys(schemes).flatMap((scheme) => usable.filter((password) => password.scheme === scheme));
    if (best) return { name: entry.one("uid"), password: `{${best.scheme}}${best.value}`, ...answer };
    if (isProfile) throw new Refusal("neither userPassword nor sambaNTPassword has a form that FreeRADIUS can check");
    return undefined;
  };
