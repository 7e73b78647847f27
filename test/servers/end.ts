import type { ChildProcess } from "node:child_process";

/**
 * Ends a process that a test started, also a stopped one, and waits for its end. `pid` is the process to signal, if
 * that is another one.
 */
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
