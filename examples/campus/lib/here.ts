import { spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "trigger";

/**
 * Only for this example, whose five hosts share one machine and keep to the folder `out`.
 * In a project of your own leave this file out, and every setting that uses it: the defaults are the paths, checks and reloads of real hosts.
 */

/** The place of a file of a host. */
export const out = (path: string): string => fileURLToPath(new URL(`../out/${path}`, import.meta.url));

/** The daemons that the demo runs where they are installed, each with the options by which its service reaches it. */
interface Live {
  readonly named: { readonly port: number; readonly key: string; readonly daemon: { readonly pidFile: string } };
  readonly kea: { readonly on: Readonly<Record<string, { readonly socket: string }>> };
}

/** How to reach a daemon, while the demo runs it; otherwise undefined, and the service writes files. */
export function live<Name extends keyof Live>(name: Name): Live[Name] | undefined {
  const file = out(`daemons/${name}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

/** The programs that were asked for and do not work here. */
export const missing: string[] = [];

/** A check, where its program is installed and accepts a sample of what it will be given; otherwise false: no check. */
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

/** Whether files can be given to another user, as homes are: root may, mostly. */
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
