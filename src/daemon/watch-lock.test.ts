import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { UserError } from "../core/util/errors.ts";
import { takeLock } from "../sqlite/lock.ts";
import { virtualClock } from "../testing/virtual-clock.ts";
import { lockFile } from "./store-file.ts";
import { watchLock } from "./watch-lock.ts";

/** A host that holds its lock and watches it. */
function watching(t: TestContext) {
  const state = mkdtempSync(join(tmpdir(), "trigger-watch-"));
  const file = lockFile(state, "civet");
  const lock = takeLock(file) ?? assert.fail("the lock is taken");
  t.after(() => {
    lock.release();
    rmSync(state, { recursive: true, force: true });
  });
  const clock = virtualClock(Date.UTC(2026, 10, 22));
  const stop = new AbortController();
  let ended: unknown;
  const watch = watchLock(lock, { state, host: "civet", clock, signal: stop.signal }).then(
    () => (ended = "ended"),
    (error: unknown) => (ended = error),
  );
  return { state, file, lock, clock, stop, watch, ended: () => ended };
}

/** The error of a host whose state was replaced. */
function lost(ended: unknown, state: string): void {
  assert.ok(ended instanceof UserError);
  assert.equal(ended.message, `${join(state, "civet")} was deleted or replaced while civet was up: start it again`);
}

test("a host goes on while its lock file is the one it holds", async (t) => {
  const { clock, stop, watch, ended } = watching(t);
  await clock.advance(3_600_000);
  assert.equal(ended(), undefined);
  stop.abort();
  assert.equal(await watch, "ended");
});

test("a deleted state ends its host within a second, with the remedy", async (t) => {
  const { state, clock, watch, ended } = watching(t);
  rmSync(join(state, "civet"), { recursive: true });
  assert.equal(ended(), undefined);
  await clock.advance(1000);
  lost(await watch, state);
});

test("a replaced lock file ends its host within a second", async (t) => {
  const { state, file, clock, watch } = watching(t);
  rmSync(file);
  writeFileSync(file, "");
  await clock.advance(1000);
  lost(await watch, state);
});

test("a host that starts with a lost lock ends at once", async (t) => {
  const { state, lock, clock } = watching(t);
  lock.release();
  const { signal } = new AbortController();
  const watch = watchLock(lock, { state, host: "civet", clock, signal });
  lost(await watch.catch((error: unknown) => error), state);
});

test("after the signal a lock is not looked at", async () => {
  const lock = { held: () => assert.fail("the host is down"), release() {} };
  const signal = AbortSignal.abort();
  await watchLock(lock, { state: "/nowhere", host: "civet", clock: virtualClock(0), signal });
});
