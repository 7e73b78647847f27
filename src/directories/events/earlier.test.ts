import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { readEvent } from "../../core/directory/event.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { eventDirectory, readEventContent } from "./source.ts";

test("an event finds an entry by a name that an earlier version compared otherwise", async () => {
  const database = new DatabaseSync(":memory:");
  const clock = virtualClock(0);
  const open = () => eventDirectory({ database, clock });
  const take = (hash: string, before: object | null, after: object | null) => {
    const said = [hash, before, after, null];
    const event = { body: Buffer.from(JSON.stringify(said)), event: readEvent(said) };
    return open().take([event], new AbortController().signal);
  };
  open();
  database.exec("UPDATE directory SET complete = 1"); // as a seed does
  const person = { entryDN: ["uid=Γιώργος,ou=x,dc=campus"] };
  await take("1", null, { entryDN: ["ou=x,dc=campus"] });
  await take("2", null, person);
  // The final sigma was folded then.
  database.exec("UPDATE entry SET path = replace(path, 'ς', 'σ')");
  await take("3", person, null);
  assert.deepEqual(
    readEventContent(database)?.map(({ dn }) => dn),
    ["ou=x,dc=campus"],
  );
});

test("an entry of an earlier version keeps its twin beside it", async () => {
  const database = new DatabaseSync(":memory:");
  const open = () => eventDirectory({ database, clock: virtualClock(0) });
  const take = (hash: string, after: object) => {
    const said = [hash, null, after, null];
    const event = { body: Buffer.from(JSON.stringify(said)), event: readEvent(said) };
    return open().take([event], new AbortController().signal);
  };
  open();
  database.exec("UPDATE directory SET complete = 1"); // as a seed does
  await take("1", { entryDN: ["roomId=LAB"] });
  database.exec("UPDATE entry SET path = lower(path), uuid = lower(uuid)"); // case was folded then
  await take("2", { entryDN: ["roomId=lab"] });
  assert.deepEqual(
    readEventContent(database)
      ?.map(({ uuid, dn }) => [uuid, dn])
      .sort(),
    [
      ["roomid=LAB", "roomId=LAB"],
      ["roomid=lab", "roomId=lab"],
    ],
  );
});
