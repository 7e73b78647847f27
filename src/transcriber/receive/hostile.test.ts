import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import fc from "fast-check";
import { orderTo } from "../../../test/fixtures/order.ts";
import { hostileBodies, runs, runsWithin } from "../../../test/hostile.ts";
import { until } from "../../../test/until.ts";
import { eventDirectory } from "../../directories/events/source.ts";
import type { Delivery } from "../../ports/broker.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { leadStreams } from "../publish/leader.ts";
import { steadyClock } from "../tables/steady-clock.ts";
import { attribution } from "./attribution.ts";
import { eventIntake } from "./event-intake.ts";
import { handleInbound } from "./inbound.ts";
import { listener } from "./listener.ts";

const start = Date.UTC(2026, 10, 22);
const asOf = { state: ["20261122000000.000000Z#000000#000#000000"], clock: start };
const mark = { epoch: 5, seq: 3, asOf };
const table = {
  ...{
    code: "1",
    form: "table",
    rows: 3,
    stored: mark,
    applied: mark,
    equal: mark,
    doubt: false,
    serving: true,
    pending: 1,
  },
  ...{
    why: "waits",
    failing: false,
    refused: [{ key: "k", why: "no", since: start, retained: true }],
    refusedCount: 1,
  },
  ...{ parked: [{ id: 1, why: "no", since: start }], parkedCount: 1, reloads: ["/etc/x"], ranAt: start },
};
const order = orderTo("civet", { service: "dhcp", order: "regen" }, start);
const said = [
  { trigger: 1, kind: "report", host: "civet", at: start, services: { dhcp: table } },
  { trigger: 1, kind: "ask", host: "civet", service: "dhcp", want: "buckets" },
  { trigger: 1, kind: "ask", host: "civet", service: "dhcp", want: { from: 0, to: 2 ** 32 } },
  { trigger: 1, kind: "refusal", host: "civet", service: "dhcp", epoch: 9, asOf, refused: 5, because: "asOf" },
  order,
  {
    ...{ trigger: 1, kind: "answer", host: "civet", order, way: "socket" },
    ...{ outcome: { done: true, text: "a full run is due" }, at: start },
  },
];
const uuid = "67c6a9b8-eafa-1039-882d-152569770969";
const entry = { entryDN: ["cn=a,ou=b,dc=c"], entryUUID: [uuid], cn: ["a"], photo: [{ base64: "/9j/" }] };
const events = [
  ["1", null, entry, { who: "me", why: "because" }],
  ["2", entry, { ...entry, entryDN: ["cn=z,dc=c"] }, null],
  ["3", null, { entryDN: ["ou=b,dc=c"], ou: ["b"] }, null],
  ["4", { entryDN: ["ou=b,dc=c"] }, { entryDN: ["ou=n,cn=a,ou=b,dc=c"] }, {}],
  ["5", entry, null, {}],
];

/** The handlers of messages, with a leader that has begun an epoch. */
function scene() {
  const clock = virtualClock(start);
  const logged: string[] = [];
  const log = (line: string): void => void logged.push(line);
  const config = { hosts: new Map([["civet", ["event", "dhcp"]]]) };
  const epochs: number[] = [];
  const silent = {
    behind: false,
    blockedQueues: [],
    end() {},
    publishChanges() {},
    digest() {},
    answer() {},
    resume() {},
  };
  const streams = new Map([["dhcp", { ...silent, begin: (epoch: number) => void epochs.push(epoch) }]]);
  const divergent: number[] = [];
  const leader = leadStreams({
    streams,
    open: () => new Map([["dhcp", { ...silent, begin: (epoch: number) => void divergent.push(epoch) }]]),
    writer: { asOf, busy: false, async tick() {} },
    ...{ clock, random: () => 0.5, log },
  });
  leader.complete();
  leader.elect(true);
  const steady = steadyClock(clock, log);
  const inbound = handleInbound({
    ...{ config, tableServices: new Set(["dhcp"]), publisher: leader, steady, attribution: attribution(), clock, log },
    ...{ wrongSender: () => undefined, wrongTranscriber: () => undefined, onReport() {} },
    ...{ onOrder() {}, onAnswer() {} },
  });
  return { clock, logged, log, inbound, steady, epochs, divergent, leader };
}

test("the messages that hostile ones are made of are accepted as they are", () => {
  const { inbound, log, logged, clock } = scene();
  const listen = listener(inbound, log, clock);
  for (const body of said.map((message) => Buffer.from(JSON.stringify(message))))
    listen.report({ key: "k", body, redelivered: false, ack() {} });
  assert.deepEqual(
    logged.filter((line) => line.includes("rejected")),
    [],
  );
});

test("any message of a host leaves epochs and times that other hosts take", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(hostileBodies(said), { minLength: 1, maxLength: 4 }), async (bodies) => {
      const { inbound, log, logged, steady, epochs, divergent, leader, clock } = scene();
      const listen = listener(inbound, log, clock);
      let acknowledged = 0;
      for (const body of bodies) {
        listen.report({ key: "k", body, redelivered: false, ack: () => void acknowledged++ });
        listen.event({ key: "k", body, redelivered: false, ack: () => void acknowledged++ });
        await clock.advance(2_000);
        leader.proceed();
      }
      assert.equal(acknowledged, 2 * bodies.length);
      assert.ok(logged.every((line) => line.length < 2_000));
      const ahead = clock.now() + 10 * 60_000;
      assert.ok(steady.now() <= ahead);
      assert.ok(epochs.every((epoch) => Number.isSafeInteger(epoch) && epoch <= ahead * 1000));
      assert.ok(divergent.every((epoch) => Number.isSafeInteger(epoch) && epoch <= 2 ** 52));
    }),
    { numRuns: runs(1000), interruptAfterTimeLimit: runsWithin(2_000), endOnFailure: true },
  );
});

test("any message among events is taken or set aside, and events behind it taken", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(hostileBodies(events), { minLength: 1, maxLength: 6 }), async (bodies) => {
      const { inbound, log, clock } = scene();
      using database = new DatabaseSync(":memory:");
      const directory = eventDirectory({ database, clock });
      database.exec("UPDATE directory SET complete = 1"); // as a seed does
      const stop = new AbortController();
      const intake = eventIntake(directory, inbound, { clock, signal: stop.signal, log });
      let acknowledged = 0;
      const give = (body: Uint8Array): void => {
        const delivery: Delivery = { key: "k", body, redelivered: false, ack: () => void acknowledged++ };
        intake.take(delivery);
      };
      for (const body of bodies) give(body);
      give(Buffer.from(JSON.stringify(["last", null, { entryDN: ["dc=last"], dc: ["last"] }, null])));
      await until(() => acknowledged === bodies.length + 1);
      assert.equal(intake.trouble, undefined);
      stop.abort();
    }),
    { numRuns: runs(600), interruptAfterTimeLimit: runsWithin(2_000), endOnFailure: true },
  );
});
