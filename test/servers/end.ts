import type { ChildProcess } from "node:child_process";

/** Ends a process that a test started, also one that was stopped, and waits for its end; `pid` is who is told, where that is another one. */
export async function endProcess(
  child: ChildProcess | undefined,
  signal: NodeJS.Signals = "SIGKILL",
  pid = child?.pid,
): Promise<void> {
  if (!child || pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  process.kill(pid, "SIGCONT");
  process.kill(pid, signal);
  await ended;
}
