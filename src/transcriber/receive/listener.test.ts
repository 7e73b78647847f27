import assert from "node:assert/strict";
import { test } from "node:test";
import { listener } from "./listener.ts";

test("a host that says much of no use does not hide what another says", () => {
  const said: string[] = [];
  const unheard = (): never => assert.fail("nobody says this");
  const report = ({ host }: { host: string }): never => {
    throw new Error(`the config has no host ${host}`);
  };
  const heard = { report, ask: unheard, refusal: unheard, event: unheard, verify: unheard };
  const hear = listener(heard, (line) => void said.push(line), { monotonic: () => 0 });
  const give = (user: string, host: string): void => {
    const body = Buffer.from(JSON.stringify({ trigger: 1, kind: "report", host, at: 0, services: {} }));
    hear.report({ key: "trigger.report", body, redelivered: false, user, ack() {} });
  };
  for (let other = 0; other < 1_000; other++) give("trigger-liar", `h${other}`);
  assert.equal(said.length, 101);
  give("trigger-box", "h");
  assert.equal(said.at(-1), "a message of trigger-box to trigger.report is of no use: the config has no host h");
});
