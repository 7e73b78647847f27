import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { stored } from "../../../test/fixtures/entry.ts";
import { runs } from "../../../test/hostile.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import { service } from "../../core/service/service.ts";
import { isRefused, refusalOf } from "../../core/stream/cells.ts";
import { atOnce } from "../../core/util/slices.ts";
import { transcription } from "../tables/transcription.ts";
import { Mirror } from "./mirror.ts";

// A site's own attribute: its comparison is unknown here, and its server distinguishes the two names.
const rooms = [
  stored("base", "dc=x"),
  stored("1", "roomId=lab,dc=x", { seats: "7" }),
  stored("2", "roomId=LAB,dc=x", { seats: "9" }),
];
const doors = [stored("d1", "cn=left,roomId=lab,dc=x"), stored("d2", "cn=left,roomId=LAB,dc=x")];
const machine = (room: string): StoredEntry => stored("m", "cn=m,dc=x", { room });

const seats = service({
  row: z.object({ seats: z.string() }),
  select: (entry, directory) => {
    if (entry.has("room"))
      return {
        seats: [directory.get(entry.one("room")), ...directory.follow(entry, "room")]
          .map((room) => room?.one("seats"))
          .join(),
      };
    if (entry.name === "left") return { seats: directory.parent(entry)?.one("seats") ?? "none" };
    return entry.has("seats")
      ? {
          seats: directory
            .children(entry)
            .map(({ dn }) => dn)
            .join(),
        }
      : undefined;
  },
  run: async () => {},
});

function tables(entries: readonly StoredEntry[]) {
  if (!("table" in seats)) throw new Error("it is a table");
  const made = transcription(new Map([["seats", seats.table]]), { timezone: "UTC" });
  made.refresh(entries, 0);
  const cell = (uuid: string): string | undefined => {
    const said = made.table("seats").get(uuid);
    return said === undefined
      ? undefined
      : isRefused(said)
        ? refusalOf(said)
        : (JSON.parse(said) as { seats: string }).seats;
  };
  return { made, cell };
}

test("namesakes stay two entries, each found by its own spelling", () => {
  const { cell, made } = tables([...rooms, ...doors, machine("roomId=LAB,dc=x")]);
  assert.equal(cell("m"), "9,9");
  assert.deepEqual([cell("d1"), cell("d2")], ["7", "9"]);
  assert.deepEqual([cell("1"), cell("2")], ["cn=left,roomId=lab,dc=x", "cn=left,roomId=LAB,dc=x"]);
  made.change([machine("roomId=lab,dc=x")], [], 0);
  assert.equal(cell("m"), "7,7");
});

test("any other spelling means the older one, before and after it has a twin", () => {
  const { cell, made } = tables([rooms[0] as StoredEntry, rooms[1] as StoredEntry, machine("ROOMID=Lab, dc=X")]);
  assert.equal(cell("m"), "7,7");
  const { services } = made.change([rooms[2] as StoredEntry, ...doors], [], 0);
  assert.deepEqual(
    services.get("seats")?.map(([key]) => key),
    ["1", "2", "d1", "d2"],
    "the twin, and what is below the two",
  );
  assert.deepEqual([...made.namesakes()], [["roomId=lab,dc=x", "roomId=LAB,dc=x"]]);
  made.change([], ["2"], 0);
  assert.equal(cell("m"), "7,7");
  assert.equal(cell("d2"), undefined, "what was below it went with it");
  assert.equal(cell("d1"), "7");
  assert.deepEqual([...made.namesakes()], []);
});

test("a namesake that is spelled otherwise is found by its new spelling", () => {
  const { cell, made } = tables([...rooms, ...doors, machine("ROOMID=Lab, dc=X")]);
  assert.equal(cell("m"), "7,7");
  made.change([stored("2", "ROOMID=Lab, dc=X", { seats: "9" })], [], 0);
  assert.equal(cell("m"), "9,9", "it is spelled so now");
  made.change([stored("2", "roomId=other,dc=x", { seats: "9" })], [], 0);
  assert.equal(cell("m"), "7,7");
});

test("what a namesake says is read again when it changes", () => {
  const { cell, made } = tables([...rooms, machine("ROOMID=Lab, dc=X")]);
  assert.equal(cell("m"), "7,7");
  made.change([stored("1", "roomId=lab,dc=x", { seats: "8" })], [], 0);
  assert.equal(cell("m"), "8,8");
  made.change([stored("1", "roomId=attic,dc=x", { seats: "8" })], [], 0);
  assert.equal(cell("m"), "9,9");
});

test("a name in other escapes or spaces is the one with the same value", () => {
  const { cell } = tables([...rooms, machine("roomid = \\4c\\41\\42, DC=x")]);
  assert.equal(cell("m"), "9,9");
});

test("the age decides, and not the order of arrival or of the identities", () => {
  const made = (uuid: string, dn: string, seats: string, createTimestamp: string) =>
    stored(uuid, dn, { seats, createTimestamp });
  const [young, old] = [
    made("1", "roomId=lab,dc=x", "7", "20260102000000Z"),
    made("2", "roomId=LAB,dc=x", "9", "20260101000000Z"),
  ];
  for (const order of [
    [young, old],
    [old, young],
  ])
    assert.equal(tables([...order, machine("ROOMID=Lab,dc=x")]).cell("m"), "9,9");
  const uuids = ["bfcea5b8-8164-1041-9d05-d3996376a862", "00cea5b8-8165-1041-9d05-d3996376a862"] as const;
  const known = [stored(uuids[1], young.dn, { seats: "7" }), stored(uuids[0], old.dn, { seats: "9" })];
  assert.equal(tables([...known, machine("ROOMID=Lab,dc=x")]).cell("m"), "9,9", "by the time in the UUID");
  const { cell, made: later } = tables([young, old, machine("ROOMID=Lab,dc=x")]);
  later.change([made("2", old.dn, "9", "20260103000000Z")], [], 0);
  assert.equal(cell("m"), "7,7", "the server says another age");
});

test("a renamed namesake carries its own children alone", () => {
  const mirror = new Mirror();
  atOnce(mirror.refresh([...rooms, ...doors]));
  atOnce(mirror.change([stored("2", "roomId=new,dc=x")], []));
  assert.deepEqual(
    [mirror.get("d1")?.dn, mirror.get("d2")?.dn],
    ["cn=left,roomId=lab,dc=x", "cn=left,roomId=new,dc=x"],
  );
  const odd = tables([...rooms, stored("d3", "cn=left,ROOMID=LAB,dc=x")]);
  assert.deepEqual([odd.cell("1"), odd.cell("2")], ["", "cn=left,ROOMID=LAB,dc=x"]);
  assert.equal(odd.made.explain("seats", "roomid=lab,dc=x").dn, "roomId=lab,dc=x");
});

const typed = (equality: string) => ({
  ...{ attributes: ["*"], operational: [] },
  types: [{ names: ["roomId", "salle"], equality }],
});

test("a server's rule decides, and each of its spellings is found", () => {
  const { cell, made } = tables([]);
  made.refresh([...rooms, ...doors, machine("salle=LAB, dc=X")], 0, typed("caseExactMatch"));
  assert.equal(cell("m"), "9,9");
  assert.deepEqual([...made.namesakes()], []);
  made.change([machine("salle=lab, dc=X")], [], 0);
  assert.equal(cell("m"), "7,7");
  made.change([machine("salle=attic, dc=X")], [], 0);
  assert.equal(cell("m"), "");
});

test("another schema has every name compared again", () => {
  const { cell, made } = tables([]);
  const all = [...rooms.slice(0, 2), doors[0] as StoredEntry, machine("roomId=LAB,dc=x")];
  made.refresh(all, 0, typed("caseExactMatch"));
  assert.deepEqual([cell("m"), cell("d1")], ["", "7"]);
  const { services, entries } = made.refresh(all, 0, typed("caseIgnoreMatch"));
  assert.deepEqual([cell("m"), cell("d1")], ["7,7", "7"]);
  assert.deepEqual([services.get("seats")?.length, entries.size], [1, 0]);
  made.refresh([...all.slice(0, 1), ...all.slice(2)], 0, typed("caseExactMatch"));
  assert.deepEqual([cell("m"), cell("d1")], ["", "none"]);
});

const spelled = fc.constantFrom("lab", "LAB", "Lab", "l\\61b", "roof");
const typeName = fc.constantFrom("roomId", "ROOMID", "salle");
const roomDn = fc.tuple(typeName, spelled).map(([type, name]) => `${type}=${name},dc=x`);
const date = fc.constantFrom("20260101000000Z", "20260102000000Z");
const anyEntry = fc.oneof(
  fc
    .tuple(fc.constantFrom("1", "2", "3"), roomDn, fc.constantFrom("7", "8"), fc.option(date))
    .map(([uuid, dn, seats, made]) => stored(uuid, dn, made === null ? { seats } : { seats, createTimestamp: made })),
  fc.tuple(fc.constantFrom("d1", "d2"), roomDn).map(([uuid, dn]) => stored(uuid, `cn=left,${dn}`)),
  fc.tuple(fc.constantFrom("m1", "m2"), roomDn).map(([uuid, room]) => stored(uuid, `cn=${uuid},dc=x`, { room })),
);
const uuids = ["base", "1", "2", "3", "d1", "d2", "m1", "m2"];
const anyStep = fc.oneof(
  fc.record({ put: fc.array(anyEntry, { minLength: 1, maxLength: 2 }) }),
  fc.record({ removed: fc.constantFrom(...uuids.slice(1)) }),
  fc.record({ schema: fc.constantFrom("caseExactMatch", "caseIgnoreMatch", "someOwnMatch") }),
);

test("after any changes the rows are those of a first reading", () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 12 }), (steps) => {
      let schema = typed("someOwnMatch");
      const { made, cell } = tables([]);
      const content = () => uuids.flatMap((uuid) => made.entry(uuid) ?? []);
      made.refresh([stored("base", "dc=x")], 0, schema);
      for (const step of steps) {
        if ("put" in step) made.change(step.put, [], 0);
        else if ("removed" in step) made.change([], [step.removed], 0);
        else {
          schema = typed(step.schema);
          made.refresh(content(), 0, schema);
        }
        const fresh = tables([]);
        fresh.made.refresh(content(), 0, schema);
        for (const uuid of uuids) assert.equal(cell(uuid), fresh.cell(uuid), uuid);
        assert.deepEqual([...made.namesakes()].sort(), [...fresh.made.namesakes()].sort());
      }
    }),
    { numRuns: runs(150) },
  );
});
