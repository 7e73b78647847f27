import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import fc from "fast-check";
import { hostileBodies, runs, runsWithin } from "../../../test/hostile.ts";
import { until } from "../../../test/until.ts";
import { eventDirectory } from "../../directories/events/source.ts";
import type { Delivery } from "../../ports/broker.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { speaker } from "../publish/leader.ts";
import { steadyClock } from "../tables/steady-clock.ts";
import { attribution } from "./attribution.ts";
import { eventIntake } from "./event-intake.ts";
import { hearing } from "./inbound.ts";
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
    loaded: mark,
    equal: mark,
    doubt: false,
    proved: true,
    owed: 1,
  },
  ...{ why: "waits", failing: false, refused: [{ key: "k", why: "no", since: start, kept: true }], refusedCount: 1 },
  ...{ parked: [{ id: 1, why: "no", since: start }], parkedCount: 1, reloads: ["/etc/x"], ranAt: start },
};
const said = [
  { trigger: 1, kind: "report", host: "civet", at: start, services: { dhcp: table } },
  { trigger: 1, kind: "ask", host: "civet", service: "dhcp", want: "buckets" },
  { trigger: 1, kind: "ask", host: "civet", service: "dhcp", want: { from: 0, to: 2 ** 32 } },
  { trigger: 1, kind: "refusal", host: "civet", service: "dhcp", epoch: 9, asOf, refused: 5, because: "asOf" },
];
const uuid = "67c6a9b8-eafa-1039-882d-152569770969";
const entry = { entryDN: ["cn=a,ou=b,dc=c"], entryUUID: [uuid], cn: ["a"], photo: [{ base64: "/9j/" }] };
const events = [
  ["1", null, entry, { who: "me", why: "because" }],
  ["2", entry, { ...entry, entryDN: ["cn=z,dc=c"] }, null],
  ["3", null, { entryDN: ["ou=b,dc=c"], ou: ["b"] }, null],
  ["4", { entryDN: ["ou=b,dc=c"] }, { entryDN: ["ou=n,cn=a,ou=b,dc=c"] }, {}],
  ["5", entry, null, {}],
  { trigger: 1, kind: "order", service: "event", order: "verify" },
];

/** What hears messages, with a speaker that has spoken, and all that follows from them. */
function scene() {
  const clock = virtualClock(start);
  const logged: string[] = [];
  const log = (line: string): void => void logged.push(line);
  const config = { hosts: new Map([["civet", ["event", "dhcp"]]]) };
  const epochs: number[] = [];
  const nothing = { behind: false, refusing: [], end() {}, moved() {}, digest() {}, answer() {}, resume() {} };
  const streams = new Map([["dhcp", { ...nothing, begin: (epoch: number) => void epochs.push(epoch) }]]);
  const apart: number[] = [];
  const speaks = speaker({
    channels: streams,
    open: () => new Map([["dhcp", { ...nothing, begin: (epoch: number) => void apart.push(epoch) }]]),
    ...{ clock, random: () => 0.5, mirror: () => asOf.state, readSince: () => 0, look() {}, busy: () => false, log },
  });
  speaks.complete();
  speaks.elect(true);
  const steady = steadyClock(clock, log);
  const heard = hearing({
    ...{ config, tables: new Set(["dhcp"]), speaker: speaks, steady, attributed: attribution(), clock, log },
    ...{ wrongSender: () => undefined, wrongOrderer: () => undefined, onReport() {}, nudge() {}, verify() {} },
  });
  return { clock, logged, log, heard, steady, epochs, apart, speaks };
}

test("whatever hosts say is heard or said to be of no use, and the transcriber goes on in epochs and times that hosts take", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(hostileBodies(said), { minLength: 1, maxLength: 4 }), async (bodies) => {
      const { heard, log, logged, steady, epochs, apart, speaks, clock } = scene();
      const hear = listener(heard, log, clock);
      let acknowledged = 0;
      for (const body of bodies) {
        hear.report({ key: "k", body, redelivered: false, ack: () => void acknowledged++ });
        hear.event({ key: "k", body, redelivered: false, ack: () => void acknowledged++ });
        await clock.advance(2_000);
        speaks.lookAgain();
      }
      assert.equal(acknowledged, 2 * bodies.length);
      assert.ok(logged.every((line) => line.length < 2_000));
      const ahead = clock.now() + 10 * 60_000;
      assert.ok(steady.now() <= ahead);
      assert.ok(epochs.every((epoch) => Number.isSafeInteger(epoch) && epoch <= ahead * 1000));
      assert.ok(apart.every((epoch) => Number.isSafeInteger(epoch) && epoch <= 2 ** 52));
    }),
    { numRuns: runs(1000), interruptAfterTimeLimit: runsWithin(2_000), endOnFailure: true },
  );
});

test("whatever comes in place of events is taken or set aside, and an event behind it is taken", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(hostileBodies(events), { minLength: 1, maxLength: 6 }), async (bodies) => {
      const { heard, log, clock } = scene();
      using database = new DatabaseSync(":memory:");
      const directory = eventDirectory({ database, clock });
      database.exec("UPDATE directory SET complete = 1"); // as a seed does
      const stop = new AbortController();
      const intake = eventIntake(directory, heard, { clock, signal: stop.signal, log });
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
