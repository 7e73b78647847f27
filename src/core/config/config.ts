import { z } from "zod";
import { eventService, queueOf, wrongHostName, wrongServiceName } from "../stream/routing.ts";
import { UserError } from "../util/errors.ts";
import { nearest, unknown, unknownOf } from "../util/nearest.ts";
import { type BrokerConfig, brokerSchema } from "./broker-config.ts";
import { directorySchema, type LdapDirectory, type LdifDirectory } from "./directory-config.ts";
import { type EvaluationLimits, evaluationSchema } from "./evaluation.ts";
import { found, named, options, readOptions, rule, text } from "./options.ts";
import { type Removals, removalsSchema } from "./removals.ts";
import { type Senders, sendersSchema } from "./senders-config.ts";
import { type Signing, signingSchema } from "./signing-config.ts";
import { type WavesOf, wavesSchema, wrongWaves } from "./waves.ts";

/** The options of `trigger.config.ts`, the same on every host. Names of files are relative to the config. */
export interface Config {
  /**
   * RabbitMQ, for hosts on several machines. If left out, a file on this machine carries the messages of all hosts on
   * it.
   */
  readonly broker?: BrokerConfig;
  /**
   * The source of the truth: an LDIF file or an OpenLDAP server. If left out, events are the truth, and `trigger seed`
   * gives the first content.
   */
  readonly directory?: LdifDirectory | LdapDirectory;
  /** The time zone in which dates without one are read (an IANA name); UTC by default. */
  readonly timezone?: string;
  /** The folder for the state of the daemons; `.trigger` by default. */
  readonly state?: string;
  /** The removals that a host makes within an hour without `trigger approve`; 50 rows or a tenth by default. */
  readonly removals?: Removals;
  /** Keys that sign rows, and keys that hosts trust. If left out, hosts accept unsigned rows. */
  readonly signing?: Signing;
  /** Services whose hosts activate a change one after the other, with the order. None by default. */
  readonly waves?: WavesOf;
  /**
   * The users of RabbitMQ that may send plain messages of a service. A service that is left out takes them from each user
   * whom RabbitMQ lets publish.
   */
  readonly senders?: Senders;
  /** The limits of the evaluation of one entry; 50,000 rows and 2 seconds by default, among others. */
  readonly evaluation?: EvaluationLimits;
  /** Hosts, each with the services that it runs; one with `event` is a transcriber. */
  readonly hosts: { readonly [host: string]: readonly string[] };
}

type Defaulted = "timezone" | "state" | "removals" | "waves" | "senders" | "evaluation";

/** A config that has been read: every name is valid, and every default is filled in. */
export interface ReadConfig extends Omit<Config, "hosts" | Defaulted>, Required<Pick<Config, Defaulted>> {
  readonly hosts: ReadonlyMap<string, readonly string[]>;
}

/** Returns `config` unchanged; gives it its type in the config file. */
export function defineConfig(config: Config): Config {
  return config;
}

const service = text.check(rule((name, place) => wrongServiceName(name) && `${place}: ${wrongServiceName(name)}`));

const services = z.array(service, found("a list of services")).check(
  rule((names, place) => {
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    return twice && `${place}: service "${twice}" is listed twice`;
  }),
);

const hosts = z
  .custom<object>() // a z.record would silently drop a host named `__proto__`
  .check(rule((hosts) => Object.keys(Object(hosts)).map(wrongHostName).find(Boolean)))
  .pipe(named(services))
  .transform((hosts) => new Map(Object.entries(hosts)))
  .check(
    rule(({ size }) => size === 0 && "hosts is empty: name at least one host and its services"),
    rule((hosts) => !transcribersOf({ hosts })[0] && `no host runs "${eventService}": one must, it is the transcriber`),
  );

/** The schema of a config; the schemas of its parts are beside their interfaces. */
const configSchema = options<ReadConfig>({
  broker: brokerSchema.optional(),
  directory: directorySchema.optional(),
  timezone: text.check(rule(wrongTimeZone)).default("UTC"),
  state: text.default(".trigger"),
  removals: removalsSchema.default({}),
  signing: signingSchema.optional(),
  waves: wavesSchema.default({}),
  senders: sendersSchema.default({}),
  evaluation: evaluationSchema.default({}),
  hosts,
}).check(
  rule(({ directory, hosts }) => {
    const both = transcribersOf({ hosts });
    if (directory || both.length < 2) return;
    return `without a directory, events are the truth, and only one host may run "${eventService}": ${both.join(" and ")} do`;
  }),
  rule((config) => unknownOf("service in removals.of", Object.keys(config.removals.of ?? {}), servicesOf(config))),
  rule((config) => unknownOf("service in senders", Object.keys(config.senders), servicesOf(config))),
  rule((config) => wrongWaves(config.waves, new Map(servicesOf(config).map((name) => [name, hostsOf(config, name)])))),
);

/**
 * Reads the export of a config file. The first mistake is thrown as one `UserError` that names the file and the option.
 */
export const readConfig = (value: unknown, file: string): ReadConfig => readOptions(configSchema, value, file);

/** The hosts that run the transcriber. */
export const transcribersOf = ({ hosts }: Pick<ReadConfig, "hosts">): string[] =>
  [...hosts].filter(([, services]) => services.includes(eventService)).map(([host]) => host);

/** The queues of the transcribers for events, as every sender of events declares them. */
export const eventQueuesOf = (config: Pick<ReadConfig, "hosts" | "directory">) =>
  transcribersOf(config).map((host) => queueOf(host, eventService, config.directory ? "event" : "eventTruth"));

/** The services that some host runs, sorted, without the transcriber's own. */
export const servicesOf = ({ hosts }: Pick<ReadConfig, "hosts">): string[] =>
  [...new Set([...hosts.values()].flat())].filter((name) => name !== eventService).sort();

/** The hosts that run a service. */
export const hostsOf = ({ hosts }: Pick<ReadConfig, "hosts">, service: string): string[] =>
  [...hosts].filter(([, services]) => services.includes(service)).map(([host]) => host);

/** Returns a host of the config. Throws a `UserError` that names the known hosts if it has no such host. */
export function knownHost(config: Pick<ReadConfig, "hosts">, host: string, file: string): string {
  if (!config.hosts.has(host)) throw new UserError(`${file}: ${unknown("host", host, config.hosts.keys())}`);
  return host;
}

/** Returns a service that some host runs. Throws a `UserError` that names the known services if no host runs it. */
export function knownService(config: Pick<ReadConfig, "hosts">, service: string, file: string): string {
  const known = servicesOf(config);
  if (!known.includes(service)) throw new UserError(`${file}: ${unknown("service", service, known)}`);
  return service;
}

/**
 * The message on an unknown time zone. Of hundreds of zones it names only the nearest one; a city alone is enough to
 * find it.
 */
function wrongTimeZone(name: string): string | undefined {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return undefined;
  } catch {
    // Intl throws a RangeError for an unknown zone
  }
  const zones = Intl.supportedValuesOf("timeZone");
  const meant = zones.find((zone) => zone.toLowerCase().endsWith(`/${name.toLowerCase()}`)) ?? nearest(name, zones);
  const said = `unknown time zone ${JSON.stringify(name.slice(0, 80))}: expected an IANA name, such as Europe/Paris`;
  return meant ? `${said}; did you mean "${meant}"?` : said;
}
