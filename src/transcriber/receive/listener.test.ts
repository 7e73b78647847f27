import assert from "node:assert/strict";
import { test } from "node:test";
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
