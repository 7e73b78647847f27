import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type ReadConfig, readConfig, servicesOf } from "../core/config/config.ts";
import type { Service } from "../core/service/service.ts";
import { eventService } from "../core/stream/routing.ts";
import { reason, UserError } from "../core/util/errors.ts";
import { unknown } from "../core/util/nearest.ts";
import { openFrontDoor } from "./front-door.ts";
import { readService } from "./read-service.ts";

/** A project: a folder with `trigger.config.ts`, `services/<name>.ts` and `lib/`. */
export interface Project {
  readonly folder: string;
  readonly configFile: string;
  readonly config: ReadConfig;
  /** Absolute path; "" if the directory is not a file. */
  readonly ldifFile: string;
  /** Absolute path of the folder for the daemons' data. */
  readonly state: string;
}

/** The requested services of a project. */
export interface Services {
  readonly services: ReadonlyMap<string, Service>;
  /** The hash of each service's file and of `lib/`; equal on all hosts with equal files. */
  readonly codes: ReadonlyMap<string, string>;
}

const configName = "trigger.config.ts";

/** The config file in a project's folder. Throws a `UserError` for a folder without one. */
export function configFileIn(folder: string): string {
  const configFile = join(resolve(folder), configName);
  if (existsSync(configFile)) return configFile;
  throw new UserError(`${configFile} does not exist: \`trigger init\` makes a project, --project FOLDER names another`);
}

/** Opens the project in a folder. Each fault in it is a `UserError` that names the file. */
export async function openProject(folder: string): Promise<Project> {
  const root = resolve(folder);
  const configFile = configFileIn(root);
  openFrontDoor();
  const config = readConfig(await importDefault(root, configFile), configFile);
  checkServiceFiles(root, config, configFile);
  return {
    folder: root,
    configFile,
    config,
    ldifFile: config.directory && "ldif" in config.directory ? resolve(root, config.directory.ldif) : "",
    state: resolve(root, config.state),
  };
}

/** Imports services by name, and only those. */
export async function loadServices(project: Project, names: Iterable<string>): Promise<Services> {
  const services = new Map<string, Service>();
  const codes = new Map<string, string>();
  for (const name of names) {
    if (name === eventService) continue;
    const file = serviceFile(project.folder, name);
    services.set(name, readService(await importDefault(project.folder, file), file));
    codes.set(name, hashOfFiles([file, ...filesBelow(join(project.folder, "lib"))]));
  }
  return { services, codes };
}

/** The services with a file, whether or not a host runs them. */
export const serviceNames = ({ folder }: Pick<Project, "folder">): string[] =>
  filesIn(join(folder, "services")).map((file) => file.replace(/\.ts$/, ""));

const serviceFile = (folder: string, service: string): string => join(folder, "services", `${service}.ts`);

/** Throws, on each host alike, if a service of the config has no file. */
function checkServiceFiles(folder: string, config: ReadConfig, configFile: string): void {
  const known = serviceNames({ folder });
  for (const name of servicesOf(config)) {
    if (known.includes(name)) continue;
    throw new UserError(
      `${configFile}: ${unknown("service", name, known)}; its file would be ${serviceFile(folder, name)}`,
    );
  }
}

async function importDefault(folder: string, file: string): Promise<unknown> {
  const loaded = await import(pathToFileURL(file).href).catch((error) => {
    throw new UserError(`${file}: ${reason(error)}${placeOf(error, folder)}`);
  });
  if (loaded.default === undefined) throw new UserError(`${file}: has no default export`);
  return loaded.default;
}

/**
 * The place in a project at which a file failed. Node names file and line at the beginning of a SyntaxError's stack,
 * and in the frames of any other stack.
 */
function placeOf(error: unknown, folder: string): string {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const real = realpathSync(folder);
  const starts = [real, pathToFileURL(real).href].map(RegExp.escape).join("|");
  const place = stack.match(new RegExp(`(?:${starts})/(.*?\\.ts:\\d+)`))?.[1];
  return place ? ` (${join(folder, place)})` : "";
}

function hashOfFiles(files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(file)).update("\0");
  return hash.digest("hex").slice(0, 12);
}

const filesIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
        .sort()
    : [];

const filesBelow = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".ts"))
        .sort()
        .map((name) => join(folder, name))
    : [];
