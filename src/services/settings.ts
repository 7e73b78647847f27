import { z } from "zod";
import type { Step } from "../core/service/host-api.ts";
import type { Select, TableService } from "../core/service/service.ts";
import { wrongHostName } from "../core/stream/routing.ts";
import { UserError } from "../core/util/errors.ts";
import { unknown } from "../core/util/nearest.ts";

/** A ready-made service, as a file of a project exports it. `In` is the row that `select` gives, `Row` the one that hosts have. */
export interface ReadyService<In extends object, Row extends object = In> {
  /** The declaration that trigger reads. */
  readonly table: TableService<In, Row, In | readonly In[] | undefined>;
}

/** The schemas of an interface of settings: one for each setting, and no other. */
export type Schemas<Settings> = { readonly [setting in keyof Settings]-?: z.ZodType<unknown, Settings[setting]> };

/** A daemon whose restart is noticed: by its systemd unit, or by the file with its process id. */
export type Daemon = { readonly unit: string } | { readonly pidFile: string };

/** The rows of a ready-made service: a `select` of the site, or the entries for the standard one. */
export interface Selected<In> {
  /** The rows of an entry, in place of the standard `select`. */
  readonly select?: Select<In>;
  /** The entries and names of a directory that differs from the standard schemas; not together with `select`. */
  readonly entries?: Entries;
  /** The entries that an administrator blessed: of several that claim one unique value, such an entry keeps its row. */
  readonly claims?: Claims;
}

/** Entries that an administrator blessed: those that match all that is given. */
export interface Claims {
  /** Only entries at one of these DNs or below it, where members can neither add nor move an entry. */
  readonly base?: string | readonly string[];
  /** Only entries that match this filter (RFC 4515), of attributes that members cannot write. */
  readonly filter?: string;
}

/** The entries that the standard `select` sees. */
export interface Entries {
  /** Only entries at this DN or below it. */
  readonly base?: string;
  /** Only entries that match this filter (RFC 4515); values are compared without case, except for attributes in which case matters. */
  readonly filter?: string;
  /** The attributes of this directory, by the standard ones that they replace: `{ macAddress: "campusMac" }`. */
  readonly attributes?: { readonly [standard: string]: string };
  /** The object classes of this directory, by the standard ones that they replace: `{ ieee802Device: "campusMachine" }`. */
  readonly classes?: { readonly [standard: string]: string };
}

/** The settings of single hosts. */
export interface PerHost<Settings> {
  /** The settings that differ on a host, by its name. */
  readonly on?: { readonly [host: string]: Partial<Settings> };
}

/**
 * Reads the settings of a ready-made service and returns those of each host.
 * Throws a `UserError` that names the service, the option and the rule, when the service is made: before anything runs.
 */
export function readSettings<Settings extends z.ZodObject>(
  service: string,
  settings: Settings,
  given: object,
  others: readonly string[] = ["select", "entries", "claims", "on"],
): (host: string) => z.output<Settings> {
  const { on = {}, ...common }: PerHost<object> = given;
  const general = parse(service, settings, common, others);
  const special = new Map<string, z.output<Settings>>();
  for (const [host, differing] of Object.entries(on)) {
    const wrong = wrongHostName(host);
    if (wrong) throw new UserError(`${service}: on: ${wrong}`);
    special.set(host, parse(`${service}: on.${host}`, settings, { ...common, ...differing }, []));
  }
  return (host) => special.get(host) ?? general;
}

function parse<Settings extends z.ZodObject>(
  place: string,
  settings: Settings,
  given: object,
  others: readonly string[],
): z.output<Settings> {
  const read = settings.safeParse(given);
  if (read.success) return read.data;
  // Unknown options come first: a missing option may just be misspelt.
  const misspelt = read.error.issues.find((issue) => issue.code === "unrecognized_keys");
  if (misspelt) {
    const within = misspelt.path.map((name) => `${String(name)}: `).join("");
    const known = within === "" ? [...Object.keys(settings.shape), ...others] : optionsAt(settings, misspelt.path);
    throw new UserError(`${place}: ${within}${unknown("option", misspelt.keys[0] ?? "", known)}`);
  }
  const [issue] = read.error.issues;
  const [option = "", ...rest] = issue?.path ?? [];
  const value = (given as Record<PropertyKey, unknown>)[option];
  const where = [option, ...rest].join(".");
  const seen = value === undefined ? "" : ` (${(JSON.stringify(value) ?? String(value)).slice(0, 80)})`;
  throw new UserError(`${place}: ${where}: ${value === undefined ? "is missing" : issue?.message}${seen}`);
}

/** The names of the options within an option. */
function optionsAt(settings: z.ZodObject, path: readonly PropertyKey[]): string[] {
  let at: z.ZodObject | undefined = settings;
  for (const name of path) at = objectIn(at?.shape[String(name)]);
  return Object.keys(at?.shape ?? {});
}

/** The object schema inside an optional, default or union schema; undefined if there is none. */
function objectIn(type: z.core.$ZodType | undefined): z.ZodObject | undefined {
  if (type instanceof z.ZodOptional || type instanceof z.ZodDefault) return objectIn(type.unwrap());
  if (type instanceof z.ZodUnion) return type.options.map(objectIn).find((option) => option !== undefined);
  return type instanceof z.ZodObject ? type : undefined;
}

/** The options of a service that declares its own table. */
export const declared = ["row", "unique", "claims", "secret", "refused", "shared", "pace", "daemon", "select", "on"];

/** The setting of a file's place. */
export const path = z
  .string()
  .regex(/^\/[^\x00-\x1f]*[^\x00-\x1f/]$/, "is not an absolute path, such as /etc/dhcp/hosts.conf");

const isCommand = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every((word) => typeof word === "string");
const isStep = (value: unknown): boolean =>
  typeof value === "function" ||
  isCommand(value) ||
  (Array.isArray(value) && value.length > 0 && value.every(isCommand));

const aCommand = 'is not a command: a program and its arguments, such as ["systemctl", "reload", "named"]';

/** The setting of the daemon whose restart is noticed. */
export const daemon = z.union(
  [z.strictObject({ unit: z.string().min(1) }), z.strictObject({ pidFile: path })],
  'is not a daemon: expected { unit: "named.service" } or { pidFile: "/run/named.pid" }',
);

/** The setting of a command. */
export const command = z.custom<readonly [string, ...string[]]>(isCommand, aCommand);

/** The setting of a step of an install; `false` leaves it out. */
export const step = z.custom<Step | false>(
  (value) => value === false || isStep(value),
  `${aCommand}, a list of commands, a function, or false for none`,
);

/** The enabled steps of an install. */
export function stepsOf(steps: { readonly [name in "check" | "reload" | "probe"]?: Step | false | undefined }) {
  return Object.fromEntries(Object.entries(steps).filter(([, step]) => step)) as {
    [name in "check" | "reload" | "probe"]?: Step;
  };
}

/** The first line of a rendered file, after the comment sign of its format. */
export const notice = "Written by trigger from the directory: what is changed here is replaced.";
