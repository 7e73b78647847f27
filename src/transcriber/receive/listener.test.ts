import assert from "node:assert/strict";
import { test } from "node:test";
import { listener } from "./listener.ts";

test("many rejected messages of one host do not hide another's", () => {
  const log: string[] = [];
  const unexpected = (): never => assert.fail("no such message was sent");
  const report = ({ host }: { host: string }): never => {
    throw new Error(`the config has no host ${host}`);
  };
  const inbound = { report, ask: unexpected, refusal: unexpected, event: unexpected, verify: unexpected };
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
