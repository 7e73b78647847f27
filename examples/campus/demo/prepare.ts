import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { servicesOf } from "../../../src/core/config/config.ts";
import { AbsolutePath } from "../../../src/core/service/columns.ts";
import { UserError } from "../../../src/core/util/errors.ts";
import { lockFile } from "../../../src/daemon/store-file.ts";
import { loadServices, openProject, type Project } from "../../../src/project/project.ts";
import { takeLock } from "../../../src/sqlite/lock.ts";
import { makeCampus } from "../make.ts";
import type { Screen } from "./screen.ts";

export interface Stage {
  readonly project: Project;
  /** The folder of the hosts' files. */
  readonly out: string;
}

const here = fileURLToPath(new URL("..", import.meta.url));
const projectParts = ["trigger.config.ts", "services", "lib"];

/** Makes a new campus: its directory, and no file on any host. */
export async function prepare(words: readonly string[], show: Screen): Promise<Stage> {
  const { values } = parseArgs({ args: [...words], options: { in: { type: "string" } } });
  const folder = values.in === undefined ? here : copyTo(resolve(values.in));
  // On many machines only root's PATH has the daemons and their checkers, so each bin gets its sbin.
  const places = (process.env.PATH ?? "").split(delimiter);
  process.env.PATH = [...places, ...places.map((place) => place.replace(/bin$/, "sbin"))].join(delimiter);

  const project = await openProject(folder);
  const out = join(folder, "out");
  if (!AbsolutePath.safeParse(join(out, "mail", "homes")).success) {
    throw new UserError(
      `${out} has characters that the path of a home may not have: say --in FOLDER, such as --in /tmp/campus`,
    );
  }
  for (const host of project.config.hosts.keys()) {
    if (!existsSync(lockFile(project.state, host))) continue;
    const lock = takeLock(lockFile(project.state, host));
    if (!lock) throw new UserError(`host ${host} is up: another process runs ${folder}`);
    lock.release();
  }
  for (const path of [out, project.state, project.ldifFile]) rmSync(path, { recursive: true, force: true });

  show.say(`Making ${project.ldifFile}: 2,000 members, 5,000 machines, their mail and their bans.`);
  writeFileSync(project.ldifFile, makeCampus(new Date()));
  mkdirSync(join(out, "mail", "homes"), { recursive: true });
  return { project, out };
}

/** Loads the services. Each chooses its outputs by the daemons that run. */
export async function load({ project }: Stage, show: Screen): Promise<void> {
  await loadServices(project, servicesOf(project.config));
  const { missing } = await import(pathToFileURL(join(project.folder, "lib", "here.ts")).href);
  if (missing.length > 0) show.say(`Not on this machine, so their checks are left out: ${missing.join(", ")}.`);
}

function copyTo(folder: string): string {
  if (existsSync(folder) && readdirSync(folder).length > 0) throw new UserError(`${folder} is not empty`);
  for (const part of projectParts) cpSync(join(here, part), join(folder, part), { recursive: true });
  return folder;
}
