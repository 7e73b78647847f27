import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { until } from "../../test/until.ts";
import type { HostStore } from "../host/store/host-store.ts";
import { Unusable } from "../sqlite/integrity.ts";
import { virtualClock } from "../testing/virtual-clock.ts";
import { storeFile } from "./store-file.ts";
import { withStore } from "./with-store.ts";

const start = Date.UTC(2026, 10, 22);

/** A folder for a host's store, and its opening there. */
function scene(t: TestContext) {
  const state = mkdtempSync(join(tmpdir(), "trigger-with-store-"));
  t.after(() => rmSync(state, { recursive: true, force: true }));
  const clock = virtualClock(start);
  const stop = new AbortController();
  const logged: string[] = [];
  const log = (line: string): void => void logged.push(line);
  const options = { state, host: "civet", clock, signal: stop.signal, log };
  const file = storeFile(state, "civet");
  return {
    ...{ file, clock, stop, logged },
    with: (work: (store: HostStore) => Promise<void>) => withStore(options, work),
    /** The number of stores that were set aside. */
    asides: () => readdirSync(dirname(file)).filter((name) => /\.corrupt-.*Z$/.test(name)).length,
  };
}

/** True once a store is closed. */
function isClosed(store: HostStore | undefined): boolean {
  if (!store) return false;
  try {
    store.life();
    return false;
  } catch {
    return true;
  }
}

test("work runs once with a whole store, which is closed after it", async (t) => {
  const { with: withIt, logged, asides } = scene(t);
  const opened: HostStore[] = [];
  await withIt(async (store) => {
    opened.push(store);
    store.beginLife("civet", 1, start);
  });
  assert.equal(opened.length, 1);
  assert.ok(isClosed(opened[0]));
  await withIt(async (store) => assert.equal(store.life().since, start));
  assert.deepEqual([logged, asides()], [[], 0]);
});

test("a store that turns out damaged is set aside, and work begins on another", async (t) => {
  const { with: withIt, clock, logged, asides } = scene(t);
  const seen: (number | undefined)[] = [];
  const opened: HostStore[] = [];
  const done = withIt(async (store) => {
    opened.push(store);
    seen.push(store.life().since);
    store.beginLife("civet", 1, start);
    if (opened.length === 1) throw new Unusable("its row 7 is no row");
  });
  await until(() => isClosed(opened[0]));
  await clock.advance(999);
  assert.equal(opened.length, 1, "a second passes before it");
  await clock.advance(1);
  await done;
  assert.deepEqual(seen, [undefined, undefined], "the second store is a new one");
  assert.ok(isClosed(opened[1]));
  assert.equal(asides(), 1);
  assert.match(
    logged.join("\n"),
    /^its store could not be read \(its row 7 is no row\) and is set aside as \S+store\.db/,
  );
});

test("a disk that damages each store gets one a second at most", async (t) => {
  const { with: withIt, clock } = scene(t);
  let times = 0;
  const done = withIt(async () => {
    times += 1;
    if (times < 5) throw new Unusable("damaged");
  });
  await clock.advance(2_500);
  assert.equal(times, 3);
  await clock.advance(2_500);
  await done;
  assert.equal(times, 5);
});

test("any other error of the work is thrown, with the store closed", async (t) => {
  const { with: withIt, logged, asides } = scene(t);
  const error = new Error("the broker is misconfigured");
  let opened: HostStore | undefined;
  const done = withIt(async (store) => {
    opened = store;
    throw error;
  });
  await assert.rejects(done, error);
  assert.ok(isClosed(opened));
  assert.deepEqual([logged, asides()], [[], 0]);
});

/** Another process that is writing to the store. */
function writer(file: string): { end(): void } {
  const database = new DatabaseSync(file);
  database.exec("BEGIN EXCLUSIVE");
  return { end: () => database.close() };
}

test("a store that another process writes is opened when that has ended", async (t) => {
  const { with: withIt, file, logged } = scene(t);
  await withIt(async () => {});
  const other = writer(file);
  let worked = false;
  const done = withIt(async () => {
    worked = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(worked, false);
  other.end();
  await done;
  assert.ok(worked);
  assert.deepEqual(logged, []);
});

test("the signal ends the wait for another process, and no work begins", async (t) => {
  const { with: withIt, file, stop } = scene(t);
  await withIt(async () => {});
  const other = writer(file);
  const done = withIt(async () => assert.fail("the host is going down"));
  stop.abort(new Error("down"));
  await assert.rejects(done, /^Error: down$/);
  other.end();
});
