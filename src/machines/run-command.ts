import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { Command, Output } from "../core/service/host-api.ts";
import type { RunOptions } from "../ports/machine.ts";

/** The most output of a command that is returned, in bytes per stream; the rest is read and dropped. */
const outputLimit = 1 << 20;
/** The most output of a command that only reads, in bytes: a whole zone may be that long. */
const answerLimit = 256 << 20;
/** The wait before a process group that was asked to end is killed, in milliseconds. */
const killAfter = 2000;
/**
 * The wait for the output of a command after its end, in milliseconds: a daemon that it started may hold the pipes for
 * ever.
 */
const drainTime = 200;

/** Runs a command in a process group of its own, to its end or to its deadline. */
export async function runCommand(command: Command, { changes, input, signal, deadline }: RunOptions): Promise<Output> {
  signal?.throwIfAborted();
  const [program, ...rest] = command;
  const child = spawn(program, rest, { detached: true, stdio: "pipe" });
  const stdout = collect(child.stdout, changes ? outputLimit : answerLimit);
  const stderr = collect(child.stderr, outputLimit);
  // A program may end without reading its input (EPIPE): its exit code shows its result.
  child.stdin.on("error", () => {});
  child.stdin.end(input);

  let killed: Error | undefined;
  let killer: NodeJS.Timeout | undefined;
  const kill = (why: Error): void => {
    if (killed || child.pid === undefined) return;
    killed = why;
    signalGroup(child.pid, "SIGTERM");
    killer = setTimeout(signalGroup, killAfter, child.pid, "SIGKILL");
  };
  const stop = (): void =>
    kill(new Error(`${program} was stopped: ${String(signal?.reason)}`, { cause: signal?.reason }));
  const late = setTimeout(
    () => kill(new Error(`${program} took longer than ${deadline / 1000} s and was killed`)),
    deadline,
  );
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.on("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") resolve(127);
        else if (error.code === "EACCES") resolve(126);
        else reject(error);
      });
      child.on("exit", (exitCode, exitSignal) => {
        if (exitCode === null) stderr.note(`(ended by ${exitSignal})`);
        const done = (): void => resolve(exitCode ?? 128);
        const drained = setTimeout(done, drainTime);
        child.on("close", () => {
          clearTimeout(drained);
          done();
        });
      });
    });
    if (killed) throw killed;
    if (code === 127 && child.pid === undefined) stderr.note(`${program}: no such program`);
    return { code, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    clearTimeout(late);
    signal?.removeEventListener("abort", stop);
    if (killed && child.pid !== undefined) {
      clearTimeout(killer);
      // The program itself has ended; a process that it started, and that still runs in its group, does not outlive it.
      signalGroup(child.pid, "SIGKILL");
    }
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // ESRCH: all of the group have ended
  }
}

function collect(stream: Readable, limit: number) {
  const chunks: Buffer[] = [];
  let kept = 0;
  let dropped = 0;
  const notes: string[] = [];
  stream.on("data", (chunk: Buffer) => {
    const room = Math.max(0, limit - kept);
    if (room > 0) chunks.push(chunk.subarray(0, room));
    kept += Math.min(room, chunk.length);
    dropped += Math.max(0, chunk.length - room);
  });
  return {
    note: (text: string): void => void notes.push(text),
    text(): string {
      const cut = dropped > 0 ? [`\n(${dropped} more bytes are not kept)`] : [];
      return [Buffer.concat(chunks).toString(), ...cut, ...notes].join("");
    },
  };
}
