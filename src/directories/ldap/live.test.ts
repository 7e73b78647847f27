import assert from "node:assert/strict";
import { test } from "node:test";
import { follow } from "../../../test/servers/follow.ts";
import { base, type Said, saysGone, saysOf, scriptedSync } from "../../../test/servers/scripted-sync.ts";
import { systemClock } from "../../daemon/clock.ts";
import { readWhole } from "./refresh.ts";
import { ldapSource } from "./source.ts";

const lamp: Said = { name: "cn=lamp", uuid: 3 };
const other: Said = { name: "cn=other", uuid: 4 };

/** A follower of a server whose messages the test gives. */
async function following(says: Parameters<typeof scriptedSync>[0]) {
  const server = await scriptedSync(says);
  const logged: string[] = [];
  const follower = follow(ldapSource({ url: server.url, base, clock: systemClock, log: (line) => logged.push(line) }));
  return {
    ...{ follower, logged },
    names: () => [...follower.mirror.entries()].map(({ dn }) => dn.split(",", 1)[0]).sort(),
    async [Symbol.asyncDispose]() {
      await follower[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

for (const [how, gone] of [
  ["by its entry", saysOf("delete", lamp)],
  ["by its id", saysGone(lamp.uuid)],
] as const)
  test(`an entry that came and went in one piece is gone, reported ${how}`, async () => {
    await using all = await following({ live: [saysOf("add", lamp), gone, saysOf("add", other)] });
    await all.follower.until(() => all.names().includes("cn=other"));
    assert.deepEqual(all.names(), ["cn=other", "dc=campus"]);
  });

for (const [how, gone] of [
  ["by its entry", saysOf("delete", lamp)],
  ["by its id", saysGone(lamp.uuid)],
] as const)
  test(`an entry deleted within a refresh is not in the content, reported ${how}`, async () => {
    await using all = await following({ content: [saysOf("add", lamp), gone, saysOf("add", other)] });
    await all.follower.refresh();
    assert.deepEqual(all.names(), ["cn=other", "dc=campus"]);
  });

test("a refresh that begins among the changes is not taken for entries", async () => {
  await using all = await following({ content: [saysOf("add", lamp)], live: [saysOf("present", lamp)] });
  await all.follower.refresh();
  await all.follower.refresh();
  assert.ok(all.logged.some((line) => line.includes("the server began another refresh")));
  assert.ok(all.follower.seen.every(({ kind }) => kind === "refresh"));
});

test("a directory that asks to be read again is read with logged pauses", async () => {
  await using all = await following({ content: [saysOf("add", lamp)], live: [saysOf("present", lamp)] });
  for (let left = 3; left > 0; left--) await all.follower.next();
  assert.deepEqual(
    all.follower.seen.map(({ kind }) => kind),
    ["refresh", "refresh", "trouble"],
  );
});

test("the subtree of an entry that appears is read, even if called modified", async () => {
  const top = { ...lamp, parent: true };
  const below = { name: "cn=bulb,cn=lamp", uuid: 5 };
  const subtree = [saysOf("add", top), saysOf("add", below)];
  await using all = await following({ live: [saysOf("modify", top)], subtree });
  await all.follower.until(() => all.names().includes("cn=lamp"));
  assert.deepEqual(all.names(), ["cn=bulb", "cn=lamp", "dc=campus"]);
});

test("the subtree of another entry that took the name is implausible", async () => {
  const top = { ...lamp, parent: true };
  const subtree = [saysOf("add", { ...top, uuid: 9 })];
  await using all = await following({ live: [saysOf("add", top)], subtree });
  await all.follower.until(() => all.follower.seen.some(({ kind }) => kind === "trouble"));
  assert.ok(all.logged.some((line) => line.includes("cn=lamp,dc=campus,dc=example is another entry by now")));
  assert.deepEqual(all.names(), ["dc=campus"]);
});

test("many changes that come in one piece are delivered in portions", async () => {
  const names = Array.from({ length: 1200 }, (_, index) => `cn=m${index}`);
  await using all = await following({ live: names.map((name, index) => saysOf("modify", { name, uuid: index + 2 })) });
  await all.follower.until(() => all.names().length === names.length + 1);
  const sizes = all.follower.seen.map((change) => (change.kind === "change" ? change.put.length : 0));
  assert.ok(Math.max(...sizes) <= 500, sizes.join());
  assert.ok(sizes.length < 100, "and not one by one");
});

test("a content that no memory holds ends the reading", async () => {
  let read = 0;
  const messages = {
    async next() {
      read += 1;
      assert.equal(read, 1, "it was read on");
      return { id: 1, operation: 0, size: 2 ** 40 };
    },
  };
  const whole = readWhole(messages as never, 1, () => assert.fail("it has no entry"), { log() {} });
  await assert.rejects(whole, /too much to hold in memory; set directory.base/);
});
