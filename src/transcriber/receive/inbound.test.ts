import assert from "node:assert/strict";
import { test } from "node:test";
import { orderTo } from "../../../test/fixtures/order.ts";
import { device, isActive, isEqual, midnight, network } from "../../../test/fixtures/transcriber.ts";
import { until } from "../../../test/until.ts";
import { onlyTranscribers, sendersOf } from "../../core/config/senders.ts";
import { serviceKey } from "../../core/stream/routing.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { leadStreams } from "../publish/leader.ts";
import { steadyClock } from "../tables/steady-clock.ts";
import { attribution } from "./attribution.ts";
import { handleInbound } from "./inbound.ts";
import { listener } from "./listener.ts";

test("malformed messages stop nothing and are logged once", async (context) => {
  const world = network(context);
  const civet = world.start("civet", world.directory([device("a", "1")]));
  await until(() => isActive(civet));
  const broker = world.hub.connect();
  const ask = { trigger: 1, kind: "ask", host: "dhcp1", service: "dhcp", want: "digest" };
  const reports = [
    ...["", "null", "[]", '"\\ud800"', "{", Buffer.from([0xff, 0xfe])],
    ...[
      { ...ask, trigger: 2 },
      { ...ask, host: "nobody" },
      { ...ask, service: "dns" },
      { ...ask, want: { from: 5, to: 5 } },
    ],
    ...[
      { ...ask, want: { from: -1, to: 2 ** 33 } },
      { ...ask, kind: "order" },
      { ...ask, kind: "answer" },
      { kind: "__proto__" },
      "x".repeat(9 * 1024 * 1024),
    ],
    {
      trigger: 1,
      kind: "refusal",
      host: "dhcp1",
      service: "dhcp",
      epoch: 2 ** 53 - 1,
      asOf: { state: ["no csn"], clock: 1e300 },
      refused: 1,
      because: "epoch",
    },
    { trigger: 1, kind: "report", host: "nobody", at: 0, services: {} },
  ];
  const events = [
    "[]",
    '["hash", null, null, 1]',
    '["hash", {"cn": "text"}, null, 1]',
    '["hash", {"cn": ["a"]}, null, 1]',
    '["hash", {"entryDN": [{"base64": "!"}]}, null, 1]',
    '{"a":1}',
    "\u0000",
  ];
  const bytes = (body: unknown) =>
    typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  for (const body of [...reports, ...reports]) await broker.publish(serviceKey("report"), bytes(body));
  for (const body of [...events, ...events]) await broker.publish(serviceKey("event"), bytes(body));
  await until(() => world.hub.look("trigger-civet-report").length + world.hub.look("trigger-civet-event").length === 0);
  const lines = world.log.filter((line) => line.includes("is rejected"));
  assert.equal(new Set(lines).size, lines.length);
  assert.ok(lines.some((line) => line.includes("not an event: before.cn: ")));
  const host = await world.host("dhcp1");
  host.ask("digest");
  await until(() => isEqual(host) && host.table.size === 1);
});

test("an event names author and purpose, before its change or after it", async (context) => {
  const world = network(context);
  const directory = world.directory([device("a", "1"), device("b", "2")]);
  const civet = world.start("civet", directory);
  await until(() => isActive(civet));
  await world.clock.advance(60_000);
  const broker = world.hub.connect();
  const event = (attributes: object, additional: unknown) =>
    broker.publish(serviceKey("event"), JSON.stringify(["h", attributes, null, additional]));
  await event({ entryDN: ["CN=a, dc=x"] }, { who: "alice", why: "new\nlaptop" });
  await until(() => world.hub.look("trigger-civet-event").length === 0);
  directory.put(device("a", "7"));
  directory.put(device("b", "8"));
  await until(() => world.log.at(-1)?.includes("changed by cn=b"));
  await event({ ENTRYdn: ["CN=B,dc=x"] }, { who: "bob", why: 7, more: {} });
  await until(() => world.log.at(-1)?.includes("bob"));
  assert.deepEqual(world.log.slice(-3), [
    "civet: dhcp: 1 row changed by cn=a,dc=x (alice: new laptop)",
    "civet: dhcp: 1 row changed by cn=b,dc=x",
    "civet: cn=b,dc=x was changed by bob",
  ]);
});

test("the clock of reports is a lower bound of the transcriber's", async (context) => {
  const world = network(context);
  const host = await world.host("dhcp1");
  const directory = world.directory([device("a", "1", { until: "20260601000100Z" })]);
  const civet = world.start("civet", directory);
  await until(() => isActive(civet));
  const mark = { epoch: 5, seq: 1, asOf: { state: [], clock: midnight + 90_000 } };
  const report = {
    ...{
      code: "c",
      form: "table",
      rows: 0,
      stored: mark,
      serving: false,
      doubt: false,
      reloads: [],
      pending: 0,
      failing: false,
    },
    ...{ refused: [], refusedCount: 0, parked: [], parkedCount: 0 },
  };
  const broker = world.hub.connect();
  for (const name of ["dhcp1", "dhcp2"]) {
    await broker.publish(
      serviceKey("report"),
      JSON.stringify({ trigger: 1, kind: "report", host: name, at: 0, services: { dhcp: report } }),
    );
  }
  await until(() => world.reports.length === 2);
  directory.put(device("b", "2"));
  await until(() => host.table.size === 2);
  assert.equal(host.followed.mark?.asOf.clock, midnight + 90_000);
});

test("services that the config does not have are dropped from reports and logged once", async (context) => {
  const world = network(context);
  const civet = world.start("civet", world.directory([device("a", "1")]));
  await until(() => isActive(civet));
  const broker = world.hub.connect();
  const service = {
    ...{ code: "c", form: "table", rows: 1, serving: false, doubt: false, pending: 0, failing: false },
    ...{ refused: [], refusedCount: 0, parked: [], parkedCount: 0, reloads: [] },
  };
  const services = { dhcp: service, "\u001b[2J": service, event: service };
  const transcriber = { active: true, epoch: 2 ** 52, complete: true };
  const report = { trigger: 1, kind: "report", host: "dhcp1", at: 0, services, transcriber };
  for (const said of [report, report, { ...report, at: 1e300 }]) {
    await broker.publish(serviceKey("report"), JSON.stringify(said));
  }
  await until(() => world.hub.look("trigger-civet-report").length === 0);
  assert.equal(world.reports.length, 2);
  assert.deepEqual(Object.keys(world.reports[0]?.services ?? {}), ["dhcp"]);
  assert.equal(world.reports[0]?.transcriber, undefined);
  const lines = world.log.filter((line) => line.includes("does not have there"));
  assert.deepEqual(lines, ['civet: dhcp1 reports a service that the config does not have there: "\\u001b[2J"']);
});

test("orders of transcribers' users and answers of hosts' users are kept, no others", () => {
  const hosts = new Map([
    ["civet", ["event"]],
    ["dhcp1", ["dhcp"]],
    ["dhcp2", ["dhcp"]],
  ]);
  const kept: string[] = [];
  const log: string[] = [];
  const clock = virtualClock(midnight);
  const own = "trigger-civet";
  const inbound = handleInbound({
    ...{ config: { hosts }, tableServices: new Set(["dhcp"]), attribution: attribution(), clock },
    publisher: { answer() {}, observe() {}, noteStale() {} },
    ...{ steady: steadyClock(clock, () => {}), onReport() {}, log() {} },
    ...{ wrongSender: sendersOf({ hosts }, "civet", own), wrongTranscriber: onlyTranscribers({ hosts }, "civet", own) },
    onOrder: (order, user) => kept.push(`order ${order.hosts} ${user}`),
    onAnswer: ({ host, outcome }, user) => kept.push(`answer ${host} ${outcome.text} ${user}`),
  });
  const listen = listener(inbound, (line) => log.push(line), clock);
  const say = (message: object, user?: string): void => {
    const body = Buffer.from(JSON.stringify(message));
    listen.report({ key: "trigger.report", body, redelivered: false, ack() {}, ...(user && { user }) });
  };
  const order = orderTo(["dhcp1", "nobody"], { service: "dhcp", order: "regen" });
  for (const user of ["trigger-civet", "trigger-dhcp1", undefined]) say(order, user);
  const answer = { trigger: 1, kind: "answer", order, way: "broker", outcome: { done: true, text: "yes" }, at: 1 };
  for (const user of ["trigger-dhcp1", "trigger-dhcp2"]) say({ ...answer, host: "dhcp1" }, user);
  say({ ...answer, host: "dhcp2" }, "trigger-dhcp2");
  say({ ...answer, host: "nobody" }, "trigger-nobody");
  assert.deepEqual(kept, ["order dhcp1 trigger-civet", "answer dhcp1 yes trigger-dhcp1"]);
  assert.deepEqual(
    log.map((line) => line.replace(/^.* is rejected: /, "")),
    [
      "it was sent by the broker user trigger-dhcp1: expected trigger-civet",
      "it was sent without the name of its broker user: expected trigger-civet; a federation clears it without " +
        "`trust-user-id`, and a shovel publishes as its own user",
      "it claims to be from dhcp1, but was sent by the broker user trigger-dhcp2: expected trigger-dhcp1",
      "dhcp2 answers an order that was not given to it",
      'the config has no host "nobody"',
    ],
  );
});

test("reports and refusals of another user in a host's name are rejected", async (context) => {
  const world = network(context);
  // If each host has its own user, a message without a user may come from any.
  const civet = world.start("civet", world.directory([]), undefined, "trigger-civet");
  await until(() => isActive(civet));
  const epoch = midnight * 1000;
  const asOf = { state: [], clock: 0 };
  for (const message of [
    { trigger: 1, kind: "report", host: "dhcp1", at: 0, services: {} },
    { trigger: 1, kind: "refusal", host: "dhcp2", service: "dhcp", epoch, asOf, refused: epoch, because: "asOf" },
  ])
    await world.hub.connect().publish(serviceKey("report"), JSON.stringify(message));
  for (const host of ["dhcp1", "dhcp2"])
    await until(() =>
      world.log.some((line) => line.includes(`it claims to be from ${host}, but was sent without the name`)),
    );
  assert.equal(world.reports.length, 0);
});

test("another user's question brings a digest only, and a large report is rejected unread", () => {
  const hosts = new Map([
    ["civet", ["event"]],
    ["dhcp1", ["dhcp"]],
    ["dhcp2", ["dhcp"]],
  ]);
  const answered: string[] = [];
  const log: string[] = [];
  const clock = virtualClock(midnight);
  const inbound = handleInbound({
    ...{
      config: { hosts },
      tableServices: new Set(["dhcp"]),
      attribution: attribution(),
      clock,
      wrongTranscriber: () => undefined,
    },
    publisher: {
      ...leadStreams({
        ...{ streams: new Map(), open: () => new Map(), clock, random: () => 0.5, log() {} },
        writer: { asOf: { state: [], clock: 0 }, busy: false, async tick() {} },
      }),
      answer: (service, host, want) => answered.push(`${service} ${host} ${typeof want === "string" ? want : "part"}`),
    },
    ...{ steady: steadyClock(clock, () => {}), wrongSender: sendersOf({ hosts }, "civet", "trigger-civet") },
    ...{ onReport: () => assert.fail(), onOrder() {}, onAnswer() {}, log() {} },
  });
  const listen = listener(inbound, (line) => log.push(line), clock);
  const say = (message: object, user?: string): void => {
    const body = Buffer.from(JSON.stringify({ trigger: 1, ...message }));
    listen.report({ key: "trigger.report", body, redelivered: false, ack() {}, ...(user && { user }) });
  };
  for (const want of ["digest", "buckets", { from: 0, to: 9 }]) {
    const ask = { kind: "ask", host: "dhcp1", service: "dhcp", want };
    for (const user of ["trigger-dhcp1", "trigger-dhcp2", undefined]) say(ask, user);
  }
  assert.deepEqual(answered, [...Array(3).fill("dhcp dhcp1 digest"), "dhcp dhcp1 buckets", "dhcp dhcp1 part"]);
  say({ kind: "report", host: "dhcp1", at: 0, services: {}, more: "x".repeat(2 * 1024 * 1024) }, "trigger-dhcp1");
  assert.match(log.at(-1) ?? "", /rejected: it has \d+ bytes, the limit is 2097152/);
});
