import assert from "node:assert/strict";
import { test } from "node:test";
import { quickClock } from "../../../test/quick-clock.ts";
import { type Follower, follow } from "../../../test/servers/follow.ts";
import { resultOf } from "../../../test/servers/scripted-ldap.ts";
import { base, type Said, type Script, saysGone, saysOf, scriptedSync } from "../../../test/servers/scripted-sync.ts";
import { ldapSource } from "./source.ts";
import { syncRequest } from "./sync-controls.ts";

const lamp: Said = { name: "cn=lamp", uuid: 2 };
const other: Said = { name: "cn=other", uuid: 3 };
const group = (...members: string[]): Said => named("cn=group", 4, ...members);
const named = (name: string, uuid: number, ...members: string[]): Said => ({
  ...{ name, uuid },
  attributes: { member: members.map((member) => `${member},${base}`) },
});
const content = [saysOf("add", lamp), saysOf("add", group("cn=lamp"))];
const done = (id: number): Buffer => resultOf(id, 0x65);

/**
 * A follower of a server whose messages the test gives, and the names that were read again. Time is ten times faster.
 */
async function following(script: Script | ((session: number) => Script)) {
  const server = await scriptedSync(script);
  const logged: string[] = [];
  const log = (line: string): unknown => logged.push(line);
  const follower = follow(ldapSource({ url: server.url, base, clock: quickClock(10), log }));
  return {
    ...{ follower, logged },
    get read() {
      const asked = server.asked.filter((request) => request.includes(syncRequest("refreshOnly")));
      return asked.map((request) => /cn=[a-z0-9]+/.exec(request.toString("latin1"))?.[0] ?? "");
    },
    async [Symbol.asyncDispose]() {
      await follower[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const membersOf = ({ mirror }: Follower): unknown =>
  mirror
    .named(`cn=group,${base}`)
    ?.attributes.get("member")
    ?.map((member) => `${member}`.split(",", 1)[0]);
const said = ({ seen }: Follower): string[] =>
  seen
    .flatMap((change) => (change.kind === "change" ? change.put : []))
    .flatMap(({ attributes }) => [`${attributes.get("member") ?? ""}`]);

for (const [how, live] of [
  ["deleted", saysOf("delete", lamp)],
  ["deleted (by its id)", saysGone(lamp.uuid)],
  ["renamed", saysOf("modify", { ...lamp, name: "cn=torch" })],
] as const)
  test(`entries that name a ${how} one are read again, and no others`, async () => {
    const others = [saysOf("add", other), saysOf("add", named("cn=friends", 5, "cn=other", "cn=lampshade"))];
    await using all = await following({
      content: [...content, ...others],
      live: [live],
      reading: (id) => [saysOf("add", group("cn=changed"))(id), done(id)],
    });
    await all.follower.until(() => String(membersOf(all.follower)) === "cn=changed");
    assert.deepEqual(all.read, ["cn=group"]);
  });

test("a name below one that left is looked for, too, in any attribute", async () => {
  const unit: Said = { name: "ou=unit", uuid: 6, parent: true };
  const owned: Said = { name: "cn=group", uuid: 4, attributes: { owner: [`cn=lamp, OU=Unit,${base}`] } };
  await using all = await following({
    content: [saysOf("add", unit), saysOf("add", { ...lamp, name: "cn=lamp,ou=unit" }), saysOf("add", owned)],
    live: [saysOf("modify", { ...unit, name: "ou=section" })],
    reading: (id) => [saysOf("add", group("cn=lamp,ou=section"))(id), done(id)],
  });
  await all.follower.until(() => String(membersOf(all.follower)) === "cn=lamp");
});

test("a change during the second reading of its entry wins", async () => {
  const marks = saysOf("add", other);
  await using all = await following({
    content,
    live: [saysOf("delete", lamp)],
    reading: (id, _, live) => [
      saysOf("modify", group("cn=told"))(live),
      saysOf("add", group("cn=older"))(id),
      done(id),
      marks(live),
    ],
  });
  await all.follower.until(() => all.follower.mirror.named(`cn=other,${base}`) !== undefined);
  assert.deepEqual(membersOf(all.follower), ["cn=told"]);
  assert.ok(!said(all.follower).some((members) => members.includes("older")));
});

test("an entry read again and delivered at once is in its last state", async () => {
  await using all = await following({
    content,
    live: [saysOf("delete", lamp)],
    reading: (id, _, live) => [
      Buffer.concat([saysOf("add", group("cn=read"))(id), done(id), saysOf("modify", group("cn=told"))(live)]),
    ],
  });
  await all.follower.until(() => String(membersOf(all.follower)) === "cn=told");
});

test("an entry read again while its parent is renamed keeps the new name", async () => {
  const unit: Said = { name: "ou=unit", uuid: 6, parent: true };
  const below = (...members: string[]): Said => ({ ...group(...members), name: "cn=group,ou=unit" });
  await using all = await following({
    content: [saysOf("add", lamp), saysOf("add", unit), saysOf("add", below("cn=lamp"))],
    live: [saysOf("delete", lamp)],
    reading: (id, _, live) => [
      Buffer.concat([
        saysOf("add", below("cn=changed"))(id),
        saysOf("modify", { ...unit, name: "ou=section" })(live),
        done(id),
      ]),
    ],
  });
  const members = (): unknown => all.follower.mirror.named(`cn=group,ou=section,${base}`)?.attributes.get("member");
  await all.follower.until(() => String(members()) === `cn=changed,${base}`);
});

test("another entry with the name is not taken for the held one", async () => {
  await using all = await following({
    content,
    live: [saysOf("delete", lamp)],
    reading: (id, _, live) => [
      saysOf("add", { ...group("cn=wrong"), uuid: 9 })(id),
      done(id),
      saysOf("add", other)(live),
    ],
  });
  await all.follower.until(() => all.follower.mirror.named(`cn=other,${base}`) !== undefined);
  assert.deepEqual(membersOf(all.follower), ["cn=lamp"]);
});

test("an entry that moved on before its reading is left to the server", async () => {
  await using all = await following({
    content,
    live: [saysOf("delete", lamp)],
    reading: (id, _, live) => [resultOf(id, 0x65, 32), saysOf("add", other)(live)],
  });
  await all.follower.until(() => all.follower.mirror.named(`cn=other,${base}`) !== undefined);
  assert.ok(all.follower.seen.slice(1).every(({ kind }) => kind === "change"));
  assert.deepEqual(membersOf(all.follower), ["cn=lamp"]);
});

test("an entry that became hidden has the whole directory read again", async () => {
  await using all = await following({ content, live: [saysOf("delete", lamp)], reading: (id) => [done(id)] });
  await all.follower.refresh();
  while ((await all.follower.next()).kind !== "refresh");
  assert.ok(all.logged.some((line) => line.includes(`cn=group,${base} is not shown any more`)));
});

test("an overlay that takes its time is found at a later look", async () => {
  let readings = 0;
  await using all = await following({
    content,
    live: [saysOf("delete", lamp)],
    reading: (id) => {
      readings += 1;
      return [saysOf("add", group(readings === 1 ? "cn=lamp" : "cn=late"))(id), done(id)];
    },
  });
  await all.follower.until(() => String(membersOf(all.follower)) === "cn=late");
  assert.equal(readings, 2);
});

for (const [count, refreshes, read] of [
  [1_000, 1, "each"],
  [1_001, 2, "the whole directory"],
] as const)
  test(`of ${count} entries that name a deleted one, ${read} is read again`, async () => {
    const groups = Array.from({ length: count }, (_, index) => named(`cn=g${index}`, 10 + index, "cn=lamp"));
    const script = { content: [saysOf("add", lamp), ...groups.map((each) => saysOf("add", each))] };
    await using all = await following((session) => ({
      ...script,
      live: session === 1 ? [saysOf("delete", lamp)] : [],
      reading: (id, asked) => {
        const index = Number(/cn=g(\d+)/.exec(asked)?.[1]);
        return [saysOf("add", named(`cn=g${index}`, 10 + index, "cn=changed"))(id), done(id)];
      },
    }));
    const whole = (): number => all.follower.seen.filter(({ kind }) => kind === "refresh").length;
    const changed = (): number => said(all.follower).filter((members) => members.includes("cn=changed")).length;
    await all.follower.until(() => whole() === 2 || changed() === count);
    assert.equal(whole(), refreshes);
    assert.equal(new Set(all.read).size, refreshes > 1 ? 0 : count);
  });

test("a name that left during an outage is looked for after it", async () => {
  await using all = await following((session) => ({
    content: session === 1 ? content : content.slice(1),
    live: session === 1 ? [saysOf("present", lamp)] : [], // which ends the session
    reading: (id) => [saysOf("add", group("cn=changed"))(id), done(id)],
  }));
  await all.follower.until(() => String(membersOf(all.follower)) === "cn=changed");
});
