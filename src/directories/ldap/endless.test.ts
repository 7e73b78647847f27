import assert from "node:assert/strict";
import { test } from "node:test";
import { follow } from "../../../test/servers/follow.ts";
import { entryFound, resultOf, scriptedLdap } from "../../../test/servers/scripted-ldap.ts";
import { BerReader } from "../../core/util/ber.ts";
import { systemClock } from "../../daemon/clock.ts";
import { readWhole } from "./refresh.ts";
import { ldapSource } from "./source.ts";

const base = "dc=campus,dc=example";
const options = (url: string) => ({ url, base, clock: systemClock, log: () => {} });

test("an answer about the server that never ends is trouble, and is asked again", async () => {
  const large = entryFound(1, "", { vendorName: ["a".repeat(8 * 1024 * 1024)] });
  await using server = await scriptedLdap(() => Array.from({ length: 10 }, () => large));
  await using follower = follow(ldapSource(options(server.url)));
  assert.match((await follower.trouble()).why, /the server sends more than 67108864 bytes in answer to one question/);
  await follower.until(() => server.asked.length > 1);
});

test("a referral is trouble that names it; the other server is not asked", async () => {
  await using other = await scriptedLdap(() => []);
  await using server = await scriptedLdap((id, asked) =>
    asked.includes("supportedControl") ? [resultOf(id, 0x65)] : [resultOf(id, 0x65, 10, other.url)],
  );
  await using follower = follow(ldapSource(options(server.url)));
  assert.match((await follower.trouble()).why, /result 10 referral .*: another server has .*directory\.url/);
  assert.equal(other.asked.length, 0);
});

for (const [name, id, operation] of [
  ["references", 4, 0x73],
  ["answers to other questions", 5, 0x64],
] as const) {
  test(`a refresh of nothing but ${name} ends at the limit`, { timeout: 10_000 }, async () => {
    const message = { id, operation, body: new BerReader(Buffer.alloc(0)), controls: new Map(), size: 1024 ** 3 };
    let given = 0;
    const next = async () => {
      given += 1;
      assert.ok(given < 100, "it goes on");
      return message;
    };
    const messages = { next, more: true, answersTo: () => assert.fail() };
    const reading = readWhole(messages, 4, () => assert.fail(), { log: () => {} });
    await assert.rejects(reading, /bytes: too much to hold in memory/);
  });
}
