import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { takeLock } from "./lock.ts";

const directory = mkdtempSync(join(tmpdir(), "trigger-lock-"));
test.after(() => rmSync(directory, { recursive: true }));

test("a lock is held once, also within one process, and again after its release", () => {
  const file = join(directory, "twice", "x.lock");
  const lock = takeLock(file);
  assert.ok(lock);
  assert.ok(lock.held());
  assert.equal(takeLock(file), undefined);
  lock.release();
  lock.release();
  assert.equal(lock.held(), false);
  const next = takeLock(file);
  assert.ok(next);
  next.release();
});

test("only its owner may read a lock, which leaves one empty file", () => {
  const file = join(directory, "alone", "x.lock");
  const lock = takeLock(file);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(join(directory, "alone")), ["x.lock"]);
  lock?.release();
});

test("the lock of a process that is killed is free", async () => {
  const file = join(directory, "killed.lock");
  const script = `
    const { takeLock } = await import(${JSON.stringify(import.meta.resolve("./lock.ts"))});
    globalThis.lock = takeLock(${JSON.stringify(file)});
    process.stdout.write(lock ? "locked" : "not locked");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [said] = await once(child.stdout, "data");
    assert.equal(String(said), "locked");
    assert.equal(takeLock(file), undefined);
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  const lock = takeLock(file);
  assert.ok(lock);
  lock.release();
});

test("a lock whose file was deleted is no longer held", () => {
  const file = join(directory, "deleted.lock");
  const lock = takeLock(file);
  unlinkSync(file);
  assert.equal(lock?.held(), false);
  lock?.release();
});

test("a lock file that holds something else is an error that names it", () => {
  const file = join(directory, "other.lock");
  writeFileSync(file, "not ours".repeat(200));
  assert.throws(() => takeLock(file), /other\.lock: cannot be locked/);
});
