import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { stored } from "../../../test/fixtures/entry.ts";
import { scripted } from "../../../test/fixtures/transcriber.ts";
import { until } from "../../../test/until.ts";
import { atOnce } from "../../core/util/slices.ts";
import type { SourceChange } from "../../ports/directory.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { transcription } from "../tables/transcription.ts";
import { readDirectory } from "./directory-reader.ts";

const whole = (...names: string[]): SourceChange => ({
  kind: "refresh",
  entries: names.map((name) => stored(name, `cn=${name},dc=x`)),
  state: [],
});

/** A reader of a scripted directory over real tables, with the calls that its publisher gets. */
function scene(context: TestContext) {
  const clock = virtualClock(1_000);
  const stop = new AbortController();
  const calls: string[] = [];
  const log: string[] = [];
  const source = scripted();
  const tables = transcription(new Map(), { timezone: "UTC" });
  const sliced = tables.sliced(() => {});
  const reader = readDirectory({
    source: { ...source, refresh: () => calls.push("refresh") },
    publisher: {
      async write(change, _, written) {
        const changes = atOnce(change(sliced, 0));
        calls.push(`write ${changes.entries.size}`);
        written?.(changes);
      },
      complete: () => calls.push("complete"),
      interrupt: () => calls.push("interrupt"),
      digests: () => calls.push("digests"),
    },
    ...{ known: tables.entry, clock, signal: stop.signal, log: (line: string) => log.push(line) },
  });
  context.after(async () => {
    stop.abort();
    await reader.done;
  });
  /** Delivers a change, and returns the calls that follow from it. */
  const deliver = async (change: SourceChange): Promise<string[]> => {
    calls.length = 0;
    source.say(change);
    await until(() => calls.length > 0);
    return calls;
  };
  return { reader, clock, deliver, calls, log };
}

test("the mirror is complete after the first refresh, not after a change", async (context) => {
  const { reader, deliver } = scene(context);
  assert.deepEqual(await deliver({ kind: "change", put: [stored("a", "cn=a")], removed: [], state: [] }), ["write 1"]);
  assert.equal(reader.complete, false);
  assert.deepEqual(await deliver(whole("a", "b")), ["write 2", "complete"]);
  await reader.whole;
  assert.equal(reader.complete, true);
});

test("trouble interrupts the publisher from its first time until the next refresh", async (context) => {
  const { reader, clock, deliver, log } = scene(context);
  await deliver(whole("a"));
  assert.deepEqual(await deliver({ kind: "trouble", why: "the cable is cut" }), ["interrupt"]);
  await clock.advance(5_000);
  await deliver({ kind: "trouble", why: "the cable is cut" });
  await deliver({ kind: "trouble", why: "no such host" });
  assert.deepEqual(reader.trouble, { why: "no such host", since: 1_000 });
  await deliver({ kind: "change", put: [], removed: ["a"], state: [] });
  assert.notEqual(reader.trouble, undefined);
  assert.deepEqual(await deliver(whole("b")), ["write 1", "complete"]);
  assert.equal(reader.trouble, undefined);
  assert.deepEqual(log, [
    "the directory: the cable is cut",
    "the directory: no such host",
    "the directory can be read again",
  ]);
});

test("an order to verify reads the directory once, then publishes digests and the difference", async (context) => {
  const { reader, deliver, calls } = scene(context);
  await deliver(whole("a", "b"));
  calls.length = 0;
  for (const orderedAt of [7, 7]) reader.verify(orderedAt);
  assert.deepEqual(calls, ["refresh"]);
  assert.equal(reader.verified, undefined);
  assert.deepEqual(await deliver(whole("a", "c")), ["write 2", "complete", "digests"]);
  assert.deepEqual(reader.verified, { asked: 7, differed: 2 });
  assert.deepEqual(await deliver(whole("a", "c")), ["write 0", "complete"]);
  calls.length = 0;
  reader.verify(7);
  assert.deepEqual(calls, []);
  for (const orderedAt of [0, 0]) reader.verify(orderedAt);
  assert.deepEqual(calls, ["refresh", "refresh"]);
});

test("a verify before the first reading finds nothing that differs", async (context) => {
  const { reader, deliver } = scene(context);
  reader.verify(7);
  assert.deepEqual(await deliver(whole("a", "b")), ["write 2", "complete", "digests"]);
  assert.deepEqual(reader.verified, { asked: 7, differed: 0 });
});
