import assert from "node:assert/strict";
import { test } from "node:test";
import { protocolVersion } from "../../core/stream/messages.ts";
import { listener } from "./listener.ts";

test("many rejected messages of one host do not hide another's", () => {
  const log: string[] = [];
  const unexpected = (): never => assert.fail("no such message was sent");
  const report = ({ host }: { host: string }): never => {
    throw new Error(`the config has no host ${host}`);
  };
  const others = { order: unexpected, answer: unexpected };
  const inbound = { report, ask: unexpected, refusal: unexpected, event: unexpected, ...others };
  const listen = listener(inbound, (line) => void log.push(line), { monotonic: () => 0 });
  const send = (user: string, host: string): void => {
    const body = Buffer.from(JSON.stringify({ trigger: 1, kind: "report", host, at: 0, services: {} }));
    listen.report({ key: "trigger.report", body, redelivered: false, user, ack() {} });
  };
  for (let other = 0; other < 1_000; other++) send("trigger-liar", `h${other}`);
  assert.equal(log.length, 101);
  send("trigger-box", "h");
  assert.equal(log.at(-1), "a message of trigger-box to trigger.report is rejected: the config has no host h");
});

test("a report with the fields of another version is rejected, and logged once", () => {
  const log: string[] = [];
  const unexpected = (): never => assert.fail("it must not be taken");
  const others = { order: unexpected, answer: unexpected };
  const inbound = { report: unexpected, ask: unexpected, refusal: unexpected, event: unexpected, ...others };
  const listen = listener(inbound, (line) => void log.push(line), { monotonic: () => 0 });
  const service = { code: "1", form: "table", rows: 3, doubt: false, proved: true, owed: 0, failing: false };
  const lists = { refused: [], refusedCount: 0, parked: [], parkedCount: 0, reloads: [] };
  const report = { trigger: 1, kind: "report", host: "box", at: 0, services: { dhcp: { ...service, ...lists } } };
  let acknowledged = 0;
  for (let at = 0; at < 3; at++) {
    const body = Buffer.from(JSON.stringify({ ...report, at }));
    listen.report({ key: "trigger.report", body, redelivered: false, user: "trigger-box", ack: () => acknowledged++ });
  }
  assert.equal(acknowledged, 3);
  assert.equal(log.length, 1);
  assert.match(log[0] ?? "", /^a message of trigger-box to trigger\.report is rejected: .*pending/);
});

test("a flood of one user is dropped unread, and others are heard", () => {
  const log: string[] = [];
  const heard = new Map<string, number>();
  const unexpected = (): never => assert.fail("it must not be taken");
  const report = ({ host }: { host: string }): void => void heard.set(host, (heard.get(host) ?? 0) + 1);
  const inbound = { ask: unexpected, refusal: unexpected, event: unexpected, order: unexpected, answer: unexpected };
  let [now, acknowledged] = [0, 0];
  const listen = listener({ ...inbound, report }, (line) => void log.push(line), { monotonic: () => now });
  const send = (user: string | undefined, host: string, padding = 0): void => {
    const body = Buffer.from(
      JSON.stringify({ trigger: protocolVersion, kind: "report", host, at: 0, services: {}, x: "x".repeat(padding) }),
    );
    const delivery = { key: "trigger.report", redelivered: false, ...(user && { user }), ack: () => acknowledged++ };
    listen.report({ ...delivery, body });
  };
  for (let sent = 0; sent < 70_000; sent++) {
    send("trigger-liar", "liar");
    if (sent % 1_000 === 0) send("trigger-box", "box");
  }
  assert.deepEqual([heard.get("liar"), heard.get("box"), acknowledged], [2_000, 70, 70_070]);
  assert.match(log.join(), /^trigger-liar sends more than any host needs: messages of it are dropped unread/);
  now += 1_000;
  for (let sent = 0; sent < 1_000; sent++) send("trigger-liar", "liar");
  assert.equal(heard.get("liar"), 2_200);
  for (let sent = 0; sent < 100; sent++) send("trigger-large", "large", 1_900_000);
  assert.equal(heard.get("large"), 36);
  for (let sent = 0; sent < 3_000; sent++) send(undefined, "shared");
  assert.equal(heard.get("shared"), 3_000);
});
