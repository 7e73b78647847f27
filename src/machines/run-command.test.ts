import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { realMachine } from "./real.ts";
import { runCommand } from "./run-command.ts";

const options = { changes: false, deadline: 20_000 };

async function until(claim: () => Promise<boolean>): Promise<void> {
  while (!(await claim())) await new Promise((resolve) => setTimeout(resolve, 10));
}
const alive = async (pid: string): Promise<boolean> => {
  const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return state !== "" && !/\) [ZX] /.test(state);
};

test("a deadline kills the whole process group, also one that ignores SIGTERM", { timeout: 20_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), "trigger-run-"));
  const pids = join(directory, "pids");
  const script = `trap "" TERM; sleep 100 & echo $$ $! > ${pids}.new; mv ${pids}.new ${pids}; while :; do wait; done`;
  try {
    const ending = new AbortController();
    const running = runCommand(["sh", "-c", script], { ...options, signal: ending.signal });
    await until(() =>
      access(pids).then(
        () => true,
        () => false,
      ),
    );
    ending.abort(new Error("the run is over"));
    await assert.rejects(running, /sh was stopped: Error: the run is over/);
    for (const pid of (await readFile(pids, "utf8")).trim().split(" ")) await until(async () => !(await alive(pid)));
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("of a telling command's output a mebibyte is stored, of an asking one's all", async () => {
  const long = ["sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x"] as const;
  assert.equal((await runCommand(long, { ...options, changes: false })).stdout.length, 3_000_000);
  const { stdout, code } = await runCommand(long, { ...options, changes: true });
  assert.equal(code, 0);
  assert.equal(stdout.length, (1 << 20) + "\n(1951424 more bytes are not kept)".length);
  assert.match(stdout.slice(-40), /1951424 more bytes/);
});

test("a daemon that keeps the pipes open does not block its starter", async () => {
  const { code, stdout } = await runCommand(["sh", "-c", "sleep 100 & echo $!"], options);
  assert.equal(code, 0);
  const pid = stdout.trim();
  assert.ok(await alive(pid), "and is not killed");
  process.kill(Number(pid));
});

test("a command that does not read its input is no error", async () => {
  assert.equal((await runCommand(["true"], { ...options, input: "x".repeat(1 << 20) })).code, 0);
});

test("a program that was ended by a signal is not code 0", async () => {
  const { code, stderr } = await runCommand(["sh", "-c", "kill -9 $$"], options);
  assert.equal(code, 128);
  assert.match(stderr, /SIGKILL/);
});

test("a pid file names a life: another process is another incarnation", async () => {
  const directory = await mkdtemp(join(tmpdir(), "trigger-run-"));
  const pidFile = join(directory, "x.pid");
  const lives = new Set<string | undefined>();
  try {
    for (let life = 0; life < 2; life++) {
      const child = spawn("sleep", ["100"], { stdio: "ignore" });
      await once(child, "spawn");
      await writeFile(pidFile, `${child.pid}\n`);
      lives.add(await realMachine().incarnation({ pidFile }));
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    assert.ok(!lives.has(undefined));
    assert.equal(lives.size, 2);
    assert.equal(await realMachine().incarnation({ pidFile }), undefined, "the process of the file has ended");
  } finally {
    await rm(directory, { recursive: true });
  }
});
