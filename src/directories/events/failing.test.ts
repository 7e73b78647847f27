import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { readEvent } from "../../core/directory/event.ts";
import type { EventMessage, SourceChange } from "../../ports/directory.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { eventDirectory } from "./source.ts";

// A store that fails while an event is taken: nothing of it was taken, and the event comes again.

/** A followed directory whose store fails, while the test says so, at each write of a row to `into`. */
function scene(into: "entry" | "directory") {
  const clock = virtualClock(Date.UTC(2026, 5, 1));
  const database = new DatabaseSync(":memory:");
  const directory = eventDirectory({ database, clock });
  database.exec("UPDATE directory SET complete = 1"); // as a seed does
  const stop = new AbortController();
  const seen: SourceChange[] = [];
  const following = (async () => {
    for await (const change of directory.changes(stop.signal)) seen.push(change);
  })();
  return {
    ...{ clock, directory, seen },
    take: (message: EventMessage) => directory.take([message], stop.signal),
    fail: () =>
      database.exec(
        `CREATE TRIGGER failing BEFORE INSERT ON ${into} BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`,
      ),
    mend: () => database.exec("DROP TRIGGER failing"),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await following;
      database.close();
    },
  };
}

const added = (name: string): EventMessage => {
  const said = [name, null, { entryDN: [`cn=${name},dc=campus`] }, null];
  return { body: Buffer.from(JSON.stringify(said)), event: readEvent(said) };
};
const dns = (change: SourceChange | undefined): string[] | undefined =>
  change?.kind === "change" ? change.put.map(({ dn }) => dn) : undefined;

test("an event of a failed transaction is not delivered with the next one", async () => {
  await using world = scene("directory");
  const { clock, take, fail, mend, seen } = world;
  await clock.advance(1000);
  fail();
  await assert.rejects(take(added("lost")), /disk is full/);
  mend();
  await take(added("next"));
  await clock.advance(1000);
  assert.deepEqual(dns(seen.at(-1)), ["cn=next,dc=campus"]);
});

test("an event that the store could not take is not set aside", async () => {
  await using world = scene("entry");
  const { clock, directory, take, fail, mend, seen } = world;
  await clock.advance(1000);
  fail();
  await assert.rejects(take(added("good")), /disk is full/);
  assert.equal(directory.aside().count, 0);
  mend();
  await take(added("good"));
  await clock.advance(1000);
  assert.deepEqual(dns(seen.at(-1)), ["cn=good,dc=campus"]);
});
