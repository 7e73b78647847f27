import { type BrokerConfig, wrongBroker } from "./broker-config.ts";
import { type LdapDirectory, type LdifDirectory, readDirectory } from "./directory-config.ts";
import { nearest, unknown } from "./nearest.ts";
import { UserError } from "./outcome.ts";
import { type Removals, wrongRemovals } from "./removals.ts";
import { eventService, queueOf, wrongHostName, wrongServiceName } from "./routing.ts";
import { shown } from "./shown.ts";
import { type Signing, wrongSigning } from "./signing-config.ts";
import { type WavesOf, wrongWaves } from "./waves.ts";

/** What `trigger.config.ts` says: the same on every host. */
export interface Config {
  /** RabbitMQ, between machines; left out: a file of this machine, for every host on it. */
  readonly broker?: BrokerConfig;
  /** Where the truth is. Left out: events are the truth, and `trigger seed` gives the beginning. */
  readonly directory?: LdifDirectory | LdapDirectory;
  /** The time zone in which dates without one are read (an IANA name); UTC by default. */
  readonly timezone?: string;
  /** Where the daemons keep what they know, relative to the config; `.trigger` by default. */
  readonly state?: string;
  /** How many rows may go from a host within an hour before `trigger approve` is asked for. */
  readonly removals?: Removals;
  /** Who signs what hosts are told of rows, and whom they believe; left out, they believe whoever may publish. */
  readonly signing?: Signing;
  /** Of services whose hosts put changes in force one after the other: in which order. */
  readonly waves?: WavesOf;
  /** Which host runs which services; the host with `event` is the transcriber. */
  readonly hosts: { readonly [host: string]: readonly string[] };
}

/** A config that has been read: every name is right, every default is in place. */
export interface ReadConfig {
  readonly broker: BrokerConfig | undefined;
  /** Undefined: events are the truth. */
  readonly directory: LdifDirectory | LdapDirectory | undefined;
  readonly timezone: string;
  readonly state: string;
  readonly removals: Removals;
  readonly signing: Signing | undefined;
  readonly waves: WavesOf;
  readonly hosts: ReadonlyMap<string, readonly string[]>;
}

/** Gives a config its type where it is written. */
export const defineConfig = (config: Config): Config => config;

const options = ["broker", "directory", "timezone", "state", "removals", "signing", "waves", "hosts"];

/** Reads what a config file exports. The first thing that is wrong is one `UserError` that names the file and the word. */
export function readConfig(value: unknown, file: string): ReadConfig {
  const wrong = (what: string): never => {
    throw new UserError(`${file}: ${what}`);
  };
  const record = (of: unknown, what: string): Record<string, unknown> =>
    typeof of === "object" && of !== null && !Array.isArray(of)
      ? (of as Record<string, unknown>)
      : wrong(`${what}: expected { … }, found ${shown(of)}`);
  const text = (of: unknown, what: string): string =>
    typeof of === "string" && of !== "" ? of : wrong(`${what}: expected a text, found ${shown(of)}`);

  const config = record(value, "the config (export default defineConfig({ … }))");
  for (const option of Object.keys(config)) if (!options.includes(option)) wrong(unknown("option", option, options));

  const broker = config.broker === undefined ? undefined : record(config.broker, "broker");
  const brokerMistake = broker && wrongBroker(broker);
  if (brokerMistake) wrong(brokerMistake);
  const directory =
    config.directory === undefined ? undefined : readDirectory(record(config.directory, "directory"), wrong);
  const timezone = config.timezone === undefined ? "UTC" : text(config.timezone, "timezone");
  if (!isTimeZone(timezone)) wrong(wrongTimeZone(timezone));

  const hosts = new Map<string, readonly string[]>();
  for (const [host, services] of Object.entries(record(config.hosts, "hosts"))) {
    const wrongHost = wrongHostName(host);
    if (wrongHost) wrong(wrongHost);
    if (!Array.isArray(services)) return wrong(`host ${host}: expected a list of services, found ${shown(services)}`);
    for (const [index, name] of services.entries()) {
      const wrongService = wrongServiceName(text(name, `host ${host}`));
      if (wrongService) wrong(`host ${host}: ${wrongService}`);
      if (services.indexOf(name) !== index) wrong(`host ${host}: service "${name}" is there twice`);
    }
    hosts.set(host, services as string[]);
  }
  if (hosts.size === 0) wrong("hosts is empty: name at least one host and its services");
  if (transcribersOf({ hosts }).length === 0) wrong(`no host runs "${eventService}": one must, it is the transcriber`);
  if (!directory && transcribersOf({ hosts }).length > 1) {
    const both = transcribersOf({ hosts }).join(" and ");
    wrong(`without a directory events are the truth, and one host alone may run "${eventService}": ${both} do`);
  }
  const removals = config.removals === undefined ? {} : record(config.removals, "removals");
  const removalsMistake = wrongRemovals(removals, servicesOf({ hosts }));
  if (removalsMistake) wrong(removalsMistake);
  const signing = config.signing === undefined ? undefined : record(config.signing, "signing");
  const signingMistake = signing && wrongSigning(signing);
  if (signingMistake) wrong(signingMistake);
  const waves = config.waves === undefined ? {} : record(config.waves, "waves");
  const hostsOfAll = new Map(servicesOf({ hosts }).map((service) => [service, hostsOf({ hosts }, service)]));
  const wavesMistake = wrongWaves(waves, hostsOfAll);
  if (wavesMistake) wrong(wavesMistake);
  return {
    removals: removals as Removals,
    waves: waves as WavesOf,
    signing: signing as Signing | undefined,
    broker: broker as BrokerConfig | undefined,
    directory,
    timezone,
    state: config.state === undefined ? ".trigger" : text(config.state, "state"),
    hosts,
  };
}

/** The hosts that transcribe. */
export const transcribersOf = ({ hosts }: Pick<ReadConfig, "hosts">): string[] =>
  [...hosts].filter(([, services]) => services.includes(eventService)).map(([host]) => host);

/** The queues of those that transcribe, as who sends events to them declares them. */
export const eventQueuesOf = (config: Pick<ReadConfig, "hosts" | "directory">) =>
  transcribersOf(config).map((host) => queueOf(host, eventService, config.directory ? "event" : "eventTruth"));

/** The services that some host runs, the transcriber's own apart, sorted. */
export const servicesOf = ({ hosts }: Pick<ReadConfig, "hosts">): string[] =>
  [...new Set([...hosts.values()].flat())].filter((name) => name !== eventService).sort();

/** The hosts that run a service. */
export const hostsOf = ({ hosts }: Pick<ReadConfig, "hosts">, service: string): string[] =>
  [...hosts].filter(([, services]) => services.includes(service)).map(([host]) => host);

/** The config's own spelling of a host, or a `UserError` that names the known ones. */
export function knownHost(config: Pick<ReadConfig, "hosts">, host: string, file: string): string {
  if (!config.hosts.has(host)) throw new UserError(`${file}: ${unknown("host", host, config.hosts.keys())}`);
  return host;
}

/** A service that some host runs, or a `UserError` that names the known ones. */
export function knownService(config: Pick<ReadConfig, "hosts">, service: string, file: string): string {
  const known = servicesOf(config);
  if (!known.includes(service)) throw new UserError(`${file}: ${unknown("service", service, known)}`);
  return service;
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false; // RangeError is how Intl says that it knows no such zone
  }
}

/** There are hundreds of zones: only the one that was meant is named, found by its city alone too. */
function wrongTimeZone(name: string): string {
  const zones = Intl.supportedValuesOf("timeZone");
  const meant = zones.find((zone) => zone.toLowerCase().endsWith(`/${name.toLowerCase()}`)) ?? nearest(name, zones);
  const said = `unknown time zone ${JSON.stringify(name.slice(0, 80))}: expected an IANA name, such as Europe/Paris`;
  return meant ? `${said}; did you mean "${meant}"?` : said;
}
