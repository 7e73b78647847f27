import { knownHost, servicesOf, transcribersOf } from "../core/config/config.ts";
import { eventService } from "../core/stream/routing.ts";
import { reason } from "../core/util/errors.ts";
import { readBrokerFiles } from "../daemon/broker.ts";
import { readDirectoryOnce, withFiles } from "../daemon/directory.ts";
import { openSigner, openTrust } from "../daemon/keys.ts";
import { configFileIn, loadServices, openProject, type Project } from "../project/project.ts";

/** The result of reading a project as `up` would. */
export interface Checked {
  /** The services that were read. */
  readonly services: readonly string[];
  /** The hosts whose files were read: keys, passwords, certificates, the LDIF file. */
  readonly hosts: readonly string[];
  /** The mistakes, a line each; empty if all is well. */
  readonly mistakes: readonly string[];
}

/** Options of the check of a project. */
export interface CheckOptions {
  /** The hosts whose files are on this machine, or all of the config; none by default. */
  readonly hosts?: readonly string[] | "all";
  /** The password of RabbitMQ from the environment, if any. */
  readonly brokerPassword?: string | undefined;
}

/** Reads the config and each service as `up` would, and lists every mistake. Starts nothing and reaches no server. */
export async function checkProject(folder: string, options: CheckOptions = {}): Promise<Checked> {
  configFileIn(folder);
  const mistakes: string[] = [];
  const project = await attempt(mistakes, () => openProject(folder));
  if (!project) return { services: [], hosts: [], mistakes };
  const { config, configFile } = project;
  const named = options.hosts ?? [];
  const hosts = named === "all" ? [...config.hosts.keys()] : named.map((host) => knownHost(config, host, configFile));
  const services = servicesToLoad(project, hosts);
  for (const service of services) await attempt(mistakes, () => loadServices(project, [service]));
  for (const host of hosts) {
    for (const read of readingsOf(project, host, options.brokerPassword)) {
      await attempt(mistakes, read, (why) => `${configFile}: ${why}`);
    }
  }
  return { services, hosts, mistakes: [...new Set(mistakes)] };
}

/** The services that processes of these hosts load: their own, or all if one of them transcribes or none is named. */
function servicesToLoad({ config }: Project, hosts: readonly string[]): string[] {
  const all = servicesOf(config);
  const own = new Set(hosts.flatMap((host) => config.hosts.get(host) ?? []));
  return hosts.length === 0 || own.has(eventService) ? all : all.filter((service) => own.has(service));
}

/** The files that a host reads at its start, each as a function that reads it. */
function readingsOf(project: Project, host: string, brokerPassword?: string): (() => unknown)[] {
  const { config, folder } = project;
  const readings = [() => readBrokerFiles(project, brokerPassword), () => openTrust(project, ignore)];
  if (!transcribersOf(config).includes(host)) return readings;
  const { directory } = config;
  const ofDirectory = (): unknown => {
    if (!directory) return undefined;
    return "ldif" in directory ? readDirectoryOnce(project) : withFiles(directory, folder);
  };
  return [...readings, () => openSigner(project, ignore), ofDirectory];
}

const ignore = (): void => {};

/** Runs a reading; the reason of its failure becomes a mistake. */
async function attempt<T>(
  mistakes: string[],
  read: () => T,
  say: (why: string) => string = (why) => why,
): Promise<Awaited<T> | undefined> {
  try {
    return await read();
  } catch (error) {
    mistakes.push(say(reason(error)));
    return undefined;
  }
}
