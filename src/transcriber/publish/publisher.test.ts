import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { z } from "zod";
import { stored } from "../../../test/fixtures/entry.ts";
import { until } from "../../../test/until.ts";
import { service, type Table } from "../../core/service/service.ts";
import { type StreamMessage, streamMessage } from "../../core/stream/messages.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import type { TableChange } from "../tables/table-writer.ts";
import { transcription } from "../tables/transcription.ts";
import { publishTables } from "./publisher.ts";

const midnight = Date.UTC(2026, 5, 1);
const { table } = service({
  row: z.object({ ip: z.string() }),
  select: (entry, directory) => (directory.reached(entry.date("until")) ? undefined : { ip: entry.one("ip") }),
  async run() {},
});
const device = (name: string, more = {}) => stored(name, `cn=${name},dc=x`, { ip: name, ...more });
const devices = (net: string) => Array.from({ length: 1_000 }, (_, index) => device(`${net}${index}`));
const refresh =
  (...entries: ReturnType<typeof device>[]): TableChange =>
  (tables, now) =>
    tables.refresh(entries, now);

const pause = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A publisher of two tables. With `slow` each reading of the clock takes a millisecond: large writes are sliced. */
function scene(context: TestContext, { slow = false } = {}) {
  const clock = virtualClock(midnight);
  let read = 0;
  const stop = new AbortController();
  const services = new Map([
    ["dhcp", table as Table],
    ["dns", table as Table],
  ]);
  const tables = transcription(services, { timezone: "UTC" });
  const sent: { key: string; message: StreamMessage }[] = [];
  let timesRead = 0;
  const publisher = publishTables({
    config: { hosts: new Map([["far", ["dhcp", "notices"]]]) },
    ...{ services: services.keys(), steady: clock, random: () => 0, signal: stop.signal, digestInterval: 3_600_000 },
    tables: {
      ...tables,
      nextTime() {
        if (++timesRead > 50) throw new Error("the schedule never sleeps");
        return tables.nextTime();
      },
    },
    clock: slow
      ? {
          ...clock,
          monotonic: () => ++read,
          sleep: (time, signal) => (time <= 1 ? pause() : clock.sleep(time, signal)),
        }
      : clock,
    async publish(key, body) {
      sent.push({ key, message: streamMessage.parse(JSON.parse(body)) });
    },
    ...{ async revive() {}, onChanges() {}, log() {} },
  });
  context.after(async () => {
    stop.abort();
    await publisher.done;
  });
  const lead = (): void => {
    publisher.complete();
    publisher.elect(true);
  };
  return { publisher, clock, sent, lead, tables };
}

test("each write is published under its own state before the next one begins", async (context) => {
  const { publisher, sent, lead } = scene(context, { slow: true });
  lead();
  const seen: string[] = [];
  const write = (net: string) =>
    publisher.write(
      (tables, now) => {
        seen.push(`${net} begins after ${sent.filter(({ message }) => message.kind === "rows").length} messages`);
        return tables.change(devices(net), [], now);
      },
      [net],
    );
  await Promise.all(["a", "b", "c"].map(write));
  await until(() => sent.filter(({ message }) => message.kind === "rows").length === 6);
  assert.deepEqual(seen, ["a begins after 0 messages", "b begins after 2 messages", "c begins after 4 messages"]);
  for (const { message } of sent) {
    if (message.kind !== "rows") continue;
    assert.deepEqual(message.rows.length, 1_000);
    assert.deepEqual(message.asOf.state, [message.rows[0]?.[0].slice(0, 1)]);
  }
});

test("an epoch that waits for a write begins before the next write", async (context) => {
  const { publisher, lead } = scene(context, { slow: true });
  const epochs: (number | undefined)[] = [];
  const write = (net: string) =>
    publisher.write(
      (tables, now) => {
        epochs.push(publisher.epoch);
        return tables.change(devices(net), [], now);
      },
      [net],
    );
  const writes = ["a", "b"].map(write);
  lead();
  assert.equal(publisher.epoch, undefined);
  await Promise.all(writes);
  assert.equal(epochs[0], undefined);
  assert.notEqual(epochs[1], undefined);
});

test("nothing is published of tables that are being written", async (context) => {
  const { publisher, sent, lead, tables } = scene(context, { slow: true });
  lead();
  await until(() => sent.length === 2);
  const writing = publisher.write((tables, now) => tables.refresh(devices("a"), now), ["1"]);
  const counts = new Set<number>();
  for (let done = false; !done; ) {
    publisher.answer("dhcp", "far", "digest");
    counts.add(tables.table("dhcp").size);
    done = await Promise.race([writing.then(() => true), new Promise<false>((next) => setImmediate(next, false))]);
  }
  await until(() => sent.some(({ message }) => message.kind === "digest" && message.asOf.state.length > 0));
  assert.ok(counts.size > 2, "the table was seen between two states");
  for (const { message } of sent)
    if (message.kind === "digest") assert.ok([0, 1_000].includes(message.count), `${message.count}`);
});

test("a row whose time is over is removed at that very time", async (context) => {
  const { publisher, clock, sent, lead } = scene(context);
  lead();
  await clock.advance(0);
  await publisher.write(refresh(device("a", { until: "20260601000010Z" })), ["1"]);
  await clock.advance(9_999);
  const rows = () => sent.flatMap(({ message }) => (message.kind === "rows" ? message.rows : []));
  assert.equal(rows().length, 2);
  await clock.advance(1);
  assert.deepEqual(rows().slice(2), [
    ["a", null],
    ["a", null],
  ]);
});

test("an epoch raised by a report or a refusal begins once it may", async (context) => {
  const { publisher, clock, lead } = scene(context);
  lead();
  await clock.advance(1);
  const first = publisher.epoch ?? 0;
  for (const host of ["far", "near"]) publisher.observe(host, first + 10_000_000);
  await clock.advance(1_000);
  const second = publisher.epoch ?? 0;
  assert.ok(second > first + 10_000_000);
  const asOf = { state: [], clock: 0 };
  const refusal = { trigger: 1, kind: "refusal", host: "far", service: "dhcp", asOf, refused: second } as const;
  await clock.advance(60_000);
  publisher.noteStale({ ...refusal, epoch: second + 100_000_000, because: "epoch" });
  publisher.noteStale({ ...refusal, epoch: second + 100_000_001, because: "epoch" });
  await clock.advance(1_000);
  assert.ok(Math.max(publisher.epoch ?? 0, publisher.divergent.get("far") ?? 0) > second + 100_000_001);
});

test("the schedule sleeps through a long write, even if a time is over", async (context) => {
  const { publisher, clock } = scene(context, { slow: true });
  await publisher.write(refresh(device("late", { until: "20260601000010Z" })), ["1"]);
  let ended = false;
  const write = publisher.write(
    (tables, now) => tables.change(devices("a"), [], now),
    ["2"],
    () => (ended = true),
  );
  await clock.advance(10_000);
  assert.equal(ended, false, "the write ended before the time was over");
  await write;
});

test("a divergent host has streams of its own services, in epochs above its own", async (context) => {
  const { publisher, clock, sent, lead } = scene(context);
  lead();
  await clock.advance(1);
  const far = (midnight + 3_600_000) * 1_000;
  publisher.observe("far", far);
  await clock.advance(1);
  const own = sent.filter(({ key }) => key.endsWith(".far"));
  assert.deepEqual(
    own.map(({ key }) => key),
    ["trigger.dhcp.far"],
  );
  assert.ok((own[0]?.message.epoch ?? 0) > far);
  assert.ok((publisher.epoch ?? 0) < far);
});
