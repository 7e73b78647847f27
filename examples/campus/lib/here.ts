import { spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "trigger";

/**
 * Helpers of this example alone: its five hosts share one machine and write below the folder `out`.
 * A project of your own needs neither this file nor the settings that use it. The defaults are the paths, checks and
 * reloads of real hosts.
 */

/** The absolute path of a file below `out`. */
export const out = (path: string): string => fileURLToPath(new URL(`../out/${path}`, import.meta.url));

/** The daemons that the demo runs where they are installed, each with the options by which its service reaches it. */
interface Live {
  readonly named: { readonly port: number; readonly key: string; readonly daemon: { readonly pidFile: string } };
  readonly kea: { readonly on: Readonly<Record<string, { readonly socket: string }>> };
}

/**
 * The options by which a service reaches a daemon of the demo; undefined if it does not run: the service writes files.
 */
export function live<Name extends keyof Live>(name: Name): Live[Name] | undefined {
  const file = out(`daemons/${name}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

/** The programs of checks that do not work here. */
export const missing: string[] = [];

/**
 * A check, if its program is installed and accepts a sample of the files to check; otherwise false, which means no
 * check.
 */
export function ifHere(check: Command, sample: string): Command | false {
  const [program, ...words] = check;
  mkdirSync(out(""), { recursive: true });
  const folder = mkdtempSync(out(".trial-"));
  try {
    const file = join(folder, "sample");
    writeFileSync(file, sample);
    const filled = words.map((word) => word.replace("{staged}", file).replace("{zone}", "example"));
    if (spawnSync(program, filled, { timeout: 10_000 }).status === 0) return check;
    missing.push(program);
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** True if this process can give files to other users, as the service of homes does. Mostly only root can. */
export function canChown(): boolean {
  mkdirSync(out(""), { recursive: true });
  const folder = mkdtempSync(out(".trial-"));
  try {
    chownSync(folder, 10_000, 2_000);
    return true;
  } catch {
    return false; // that is the answer
  } finally {
    rmSync(folder, { recursive: true });
  }
}
