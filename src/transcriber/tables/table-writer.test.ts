import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { stored } from "../../../test/fixtures/entry.ts";
import { until } from "../../../test/until.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import { service, type Table } from "../../core/service/service.ts";
import { isRefused } from "../../core/stream/cells.ts";
import type { Clock } from "../../ports/clock.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { tableWriter } from "./table-writer.ts";
import { type TableChanges, transcription } from "./transcription.ts";

const { table } = service({
  row: z.object({ ip: z.string() }),
  unique: ["ip"],
  select: (entry) => ({ ip: entry.one("ip") }),
  async run() {},
});
const device = (index: number, ip: string): StoredEntry => stored(`m${index}`, `cn=m${index},dc=x`, { ip });
const devices = (count: number, net: string): StoredEntry[] =>
  Array.from({ length: count }, (_, index) => device(index, `${net}${index}`));

/** A table writer on a clock that each reading advances by a millisecond: 20 steps make a slice. */
function scene({ stopped = false } = {}) {
  let passed = 0;
  const seen: { busy: boolean; applying: boolean; root: string }[] = [];
  const log: string[] = [];
  const announced: TableChanges[] = [];
  const stop = new AbortController();
  const tables = transcription(new Map([["dhcp", table as Table]]), { timezone: "UTC" });
  const clock: Clock = {
    now: () => 0,
    monotonic: () => ++passed,
    async sleep() {
      seen.push({ busy: writer.busy, applying: writer.applying, root: tables.table("dhcp").digest.root });
      if (stopped) stop.abort();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
  const writer = tableWriter({
    ...{ tables, clock, steady: { now: () => passed }, signal: stop.signal },
    onChanges: (changes) => announced.push(changes),
    log: (line) => log.push(line),
  });
  return { tables, writer, seen, log, announced };
}

test("a large write is sliced, changes the tables last, and is announced afterwards", async () => {
  const { tables, writer, seen, log, announced } = scene();
  const before = tables.table("dhcp").digest.root;
  const written: string[] = [];
  const first = writer.write(
    (tables, now) => tables.refresh(devices(3000, "a"), now),
    ["1"],
    () => written.push("first"),
  );
  // A write that arrives meanwhile waits; a tick does nothing.
  const second = writer.write(
    (tables, now) => tables.change([device(7, "b7")], [], now),
    ["2"],
    () => written.push("second"),
  );
  await writer.tick();
  assert.deepEqual(writer.asOf.state, []);
  assert.equal(announced.length, 0);
  assert.match(writer.progress?.what ?? "", /^comparing the directory/);
  await Promise.all([first, second]);
  assert.deepEqual(written, ["first", "second"]);
  assert.deepEqual(
    announced.map(({ services }) => services.get("dhcp")?.length),
    [3000, 1],
  );
  assert.deepEqual(writer.asOf.state, ["2"]);
  assert.equal(writer.progress, undefined);
  assert.ok(seen.length > 100);
  assert.ok(seen.every(({ busy, applying, root }) => busy && (applying || root === before)));
  assert.ok(seen.some(({ applying }) => applying));
  assert.ok(log.some((line) => /: [\d,]+ of 3,000$/.test(line)));
  assert.equal([...tables.table("dhcp").entries()].filter(([, cell]) => isRefused(cell)).length, 0);
});

test("a small write is done before its call returns", () => {
  const { writer, announced } = scene();
  void writer.write((tables, now) => tables.refresh(devices(1, "a"), now), ["1"]);
  assert.equal(announced.length, 1);
  assert.equal(writer.busy, false);
});

test("a write that the signal cuts short is not announced", async () => {
  const { writer, announced } = scene({ stopped: true });
  await writer.write((tables, now) => tables.refresh(devices(3000, "a"), now), ["1"]);
  assert.equal(announced.length, 0);
  assert.deepEqual(writer.asOf.state, []);
});

test("the signal ends the writes that wait for a long one", { timeout: 10_000 }, async () => {
  const { writer, announced } = scene({ stopped: true });
  const refresh = writer.write((tables, now) => tables.refresh(devices(3000, "a"), now), ["1"]);
  const waiting = [["2"], ["3"]].map((state) =>
    writer.write((tables, now) => tables.change([device(7, "b7")], [], now), state),
  );
  await Promise.all([refresh, ...waiting]);
  await writer.write((tables, now) => tables.change([device(8, "b8")], [], now), ["4"]);
  await writer.tick();
  assert.equal(announced.length, 0);
  assert.deepEqual(writer.asOf.state, []);
  assert.equal(writer.busy, true); // inconsistent: no epoch begins on them
});

test("a write that throws leaves the tables to the next one", async () => {
  const { writer, announced } = scene();
  await assert.rejects(
    writer.write(() => {
      throw new Error("no");
    }, ["1"]),
    /no/,
  );
  await writer.write((tables, now) => tables.refresh(devices(2, "a"), now), ["2"]);
  await until(() => announced.length === 1);
});

test("of several waiting writes one at a time changes the tables", async () => {
  const { tables, writer } = scene();
  let writing = 0;
  const refresh = (net: string) =>
    writer.write(
      function* (tables, now) {
        writing += 1;
        assert.equal(writing, 1);
        const changes = yield* tables.refresh(devices(1000, net), now);
        writing -= 1;
        return changes;
      },
      [net],
    );
  await Promise.all(["a", "b", "c", "d"].map(refresh));
  assert.deepEqual(writer.asOf.state, ["d"]);
  assert.equal(tables.table("dhcp").digest.count, 1000);
});

test("a write is announced under the state that it leads to", async () => {
  const tables = transcription(new Map([["dhcp", table as Table]]), { timezone: "UTC" });
  const states: string[][] = [];
  const writer = tableWriter({
    ...{ tables, clock: virtualClock(0), steady: { now: () => 0 }, signal: new AbortController().signal, log() {} },
    onChanges: () => states.push([...writer.asOf.state]),
  });
  for (const state of ["1", "2"]) await writer.write((tables, now) => tables.refresh(devices(1, state), now), [state]);
  assert.deepEqual(states, [["1"], ["2"]]);
});
