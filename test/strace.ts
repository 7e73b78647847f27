import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./until.ts";

/** A system call of a followed process, in the order in which calls began and ended. */
export interface SystemCall {
  readonly pid: string;
  readonly name: string;
  /** The arguments as strace shows them: descriptors with their paths, also in `/proc/self/fd`. */
  readonly words: string;
  readonly result: string;
  /** The places in the trace at which the call began and ended. */
  readonly began: number;
  readonly ended: number;
}

const followed = [
  ...["openat", "write", "pwrite64", "writev", "pwritev", "fsync", "fdatasync", "execve"],
  ...["rename", "renameat", "renameat2", "link", "linkat"],
];

/** Follows the system calls of a process, its threads and its children; `stop` gives them. Fails if that is not permitted. */
export async function follow(pid: number): Promise<{ stop(): Promise<SystemCall[]> }> {
  const folder = mkdtempSync(join(tmpdir(), "trigger-strace-"));
  const file = join(folder, "trace");
  const words = ["-f", "-y", "-s", "64", "-e", `trace=${followed.join()}`, "-e", "signal=none", "-o", file];
  const child = spawn("strace", [...words, "-p", String(pid)], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  const ended = once(child, "close");
  const failed = once(child, "error").then(([error]) => error as Error);
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) child.kill("SIGINT"); // it lets the process go, and ends
    await ended;
  };
  try {
    const attached = until(() => /attached/.test(said) || child.exitCode !== null);
    const error = await Promise.race([attached.then(() => undefined), failed]);
    if (error || child.exitCode !== null)
      assert.fail(`strace cannot follow processes here, and nothing else shows what is durable: ${error ?? said}`);
  } catch (error) {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
    throw error;
  }
  return {
    async stop() {
      await stop();
      const trace = readFileSync(file, "utf8");
      rmSync(folder, { recursive: true });
      return readTrace(trace);
    },
  };
}

/** The calls of a trace; one that others interrupt stands on two lines. */
export function readTrace(trace: string): SystemCall[] {
  const calls: SystemCall[] = [];
  const open = new Map<string, Pick<SystemCall, "pid" | "name" | "words" | "began">>();
  for (const [place, line] of trace.split("\n").entries()) {
    const [, pid = "", rest = ""] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const resumed = /^<\.\.\. (\w+) resumed>(.*)\)\s+= (.*)$/.exec(rest);
    const begun = /^(\w+)\((.*) <unfinished \.\.\.>$/.exec(rest);
    const whole = /^(\w+)\((.*)\)\s+= (.*)$/.exec(rest);
    if (resumed) {
      const first = open.get(pid);
      open.delete(pid);
      const [, , words = "", result = ""] = resumed;
      if (first) calls.push({ ...first, words: first.words + words, result, ended: place });
    } else if (begun) open.set(pid, { pid, name: begun[1] ?? "", words: begun[2] ?? "", began: place });
    else if (whole) {
      const [, name = "", words = "", result = ""] = whole;
      calls.push({ pid, name, words, result, began: place, ended: place });
    }
  }
  return withPaths(calls.sort((a, b) => a.began - b.began));
}

/** Names below a descriptor (`/proc/self/fd/7/name`) as the paths that they are. */
function withPaths(calls: readonly SystemCall[]): SystemCall[] {
  const folders = new Map<string, string>();
  const others = new Set<string>(); // processes that were started have descriptors of their own
  return calls.map((call) => {
    if (call.name === "execve") others.add(call.pid);
    const words = call.words.replace(/"\/proc\/self\/fd\/(\d+)/g, (all, fd) =>
      folders.has(fd) ? `"${folders.get(fd)}` : all,
    );
    const [, fd, path] = /^(\d+)<(.*)>$/.exec(call.result) ?? [];
    if (call.name === "openat" && fd !== undefined && path !== undefined && !others.has(call.pid))
      folders.set(fd, path);
    return { ...call, words };
  });
}
