import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { follow } from "../../../test/servers/follow.ts";
import { readEvent } from "../../core/directory/event.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { eventDirectory, readEventContent } from "./source.ts";

test("the subtree of an entry that gets a uuid is delivered again", async () => {
  const database = new DatabaseSync(":memory:");
  const clock = virtualClock(0);
  const directory = eventDirectory({ database, clock });
  database.exec("UPDATE directory SET complete = 1"); // as a seed does
  const take = (hash: string, dn: string, more = {}) => {
    const said = [hash, null, { entryDN: [dn], ...more }, null];
    const message = { body: Buffer.from(JSON.stringify(said)), event: readEvent(said) };
    return directory.take([message], new AbortController().signal);
  };
  await take("1", "ou=x,dc=campus");
  await take("2", "cn=below,ou=x,dc=campus");
  await using follower = follow(directory);
  await follower.refresh();
  await take("3", "ou=x,dc=campus", { entryUUID: ["00000000-0000-4000-8000-000000000001"] });
  await follower.next();
  const names = (entries: Iterable<{ dn: string }> | undefined) => [...(entries ?? [])].map(({ dn }) => dn).sort();
  const stored = names(readEventContent(database));
  assert.deepEqual(stored, ["cn=below,ou=x,dc=campus", "ou=x,dc=campus"]);
  assert.deepEqual(names(follower.mirror.entries()), stored);
});
