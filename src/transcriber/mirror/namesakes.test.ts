import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { stored } from "../../../test/fixtures/entry.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import { service } from "../../core/service/service.ts";
import { isRefused, refusalOf } from "../../core/stream/cells.ts";
import { atOnce } from "../../core/util/slices.ts";
import { transcription } from "../tables/transcription.ts";
import { Mirror } from "./mirror.ts";

// A site's own attribute: its comparison is unknown here, and its server distinguishes the two names.
const rooms = [
  stored("base", "dc=x"),
  stored("1", "roomId=b12,dc=x", { seats: "7" }),
  stored("2", "roomId=B12,dc=x", { seats: "9" }),
];
const doors = [stored("d1", "cn=left,roomId=b12,dc=x"), stored("d2", "cn=left,roomId=B12,dc=x")];
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
  const { cell, made } = tables([...rooms, ...doors, machine("roomId=B12,dc=x")]);
  assert.equal(cell("m"), "9,9");
  assert.deepEqual([cell("d1"), cell("d2")], ["7", "9"]);
  assert.deepEqual([cell("1"), cell("2")], ["cn=left,roomId=b12,dc=x", "cn=left,roomId=B12,dc=x"]);
  made.change([machine("roomId=b12,dc=x")], [], 0);
  assert.equal(cell("m"), "7,7");
});

test("another spelling is refused with both namesakes until one is removed", () => {
  const { cell, made } = tables([...rooms, ...doors, machine("ROOMID=b12, dc=X")]);
  const why =
    "ROOMID=b12, dc=X may be one of roomId=B12,dc=x and roomId=b12,dc=x: spell it as one of them, or rename one of them";
  assert.equal(cell("m"), why);
  made.change([], ["2"], 0);
  assert.equal(cell("m"), "7,7");
  assert.equal(cell("d2"), undefined, "what was below it went with it");
  assert.equal(cell("d1"), "7");
  made.change([rooms[2] as StoredEntry], [], 0);
  assert.equal(cell("m"), why);
  made.change([stored("2", "ROOMID=b12, dc=X", { seats: "9" })], [], 0);
  assert.equal(cell("m"), "9,9", "it is spelled so now");
  made.change([stored("2", "roomId=other,dc=x", { seats: "9" })], [], 0);
  assert.equal(cell("m"), "7,7");
});

test("a renamed namesake carries its own children alone", () => {
  const mirror = new Mirror();
  atOnce(mirror.refresh([...rooms, ...doors]));
  atOnce(mirror.change([stored("2", "roomId=new,dc=x")], []));
  assert.deepEqual(
    [mirror.get("d1")?.dn, mirror.get("d2")?.dn],
    ["cn=left,roomId=b12,dc=x", "cn=left,roomId=new,dc=x"],
  );
  assert.throws(
    () => tables([...rooms, stored("d3", "cn=x,ROOMID=B12,dc=x")]).made.explain("seats", "roomid=b12,dc=x"),
    /may be one of/,
  );
});
