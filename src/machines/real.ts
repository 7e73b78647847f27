import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DaemonIdentity, Machine } from "../ports/machine.ts";
import { askSocket } from "./ask-socket.ts";
import { realFiles } from "./real-files.ts";
import { runCommand } from "./run-command.ts";

/** The machine of this process; its folders `scratch` and `kept` are in the temporary folder by default. */
export function realMachine(folders: { readonly scratch?: string; readonly kept?: string } = {}): Machine {
  const { scratch = join(tmpdir(), `trigger-${randomUUID()}`), kept = `${scratch}.kept` } = folders;
  return {
    dry: false,
    scratch,
    kept,
    files: realFiles,
    run: (asked, options) => ("socket" in asked ? askSocket(asked, options) : runCommand(asked, options)),
    async incarnation(daemon) {
      const boot = await firstLine("/proc/sys/kernel/random/boot_id");
      if (boot === undefined) return undefined;
      if (!daemon) return boot;
      const life = await lifeOf(daemon);
      return life && `${boot} ${life}`;
    },
  };
}

/** The present life of a daemon: systemd's invocation of its unit, or its pid with the time it was started. */
async function lifeOf(daemon: DaemonIdentity): Promise<string | undefined> {
  if ("unit" in daemon) {
    const command = ["systemctl", "show", "-p", "InvocationID", "--value", "--", daemon.unit] as const;
    const { code, stdout } = await runCommand(command, { changes: false, deadline: 10_000 });
    return code === 0 ? stdout.trim() || undefined : undefined;
  }
  // The daemon's user may write the folder of this file: it may be a link, a FIFO or endless.
  const written = await realFiles.read(daemon.pidFile).catch(() => undefined);
  const pid = written && firstOf(Buffer.from(written).toString());
  if (pid === undefined || !/^[1-9]\d*$/.test(pid)) return undefined;
  const stat = await firstLine(`/proc/${pid}/stat`);
  // proc(5): the second field is the program's name in parentheses and may hold anything, so count after the last one; 22 is the start time.
  const started = stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[22 - 3];
  return started && `${pid} ${started}`;
}

const firstOf = (text: string): string | undefined => text.split("\n")[0]?.trim();

/** The first line of a file of /proc without the spaces around it; undefined if it cannot be read. */
async function firstLine(path: string): Promise<string | undefined> {
  try {
    return firstOf(await readFile(path, "utf8"));
  } catch {
    return undefined; // no such file, or no right to it: the caller then reports an unknown life
  }
}
