import assert from "node:assert/strict";
import { test } from "node:test";
import { readEvent } from "../../core/directory/event.ts";
import { attribution } from "./attribution.ts";

const event = (dn: string, additional: unknown) => readEvent(["h", null, { entryDN: [dn] }, additional]);

test("an event and its change are joined once, in either order", () => {
  const authors = attribution();
  assert.equal(authors.addEvent(event("CN=a,dc=x", { who: "alice", why: "new" }), 0), undefined);
  assert.equal(authors.addChange("a", "cn=a, dc=x", 1), "alice: new");
  assert.equal(authors.addChange("a", "cn=a,dc=x", 2), undefined);
  assert.deepEqual(authors.addEvent(event("cn=a,dc=x", { why: "again" }), 3), { dn: "cn=a,dc=x", by: "again" });
});

test("an event about a twin names no author of its neighbour's change", () => {
  const authors = attribution();
  authors.addEvent(event("roomId=LAB,dc=x", { who: "mallory" }), 0);
  assert.equal(authors.addChange("a", "roomId=lab,dc=x", 1), undefined);
  assert.equal(authors.addChange("b", "roomId=LAB, dc=X", 2), "mallory");
});

test("an event and its change are not joined after 30 seconds", () => {
  const authors = attribution();
  authors.addEvent(event("cn=a,dc=x", { who: "alice" }), 0);
  assert.equal(authors.addChange("a", "cn=a,dc=x", 30_001), undefined);
  assert.equal(authors.addEvent(event("cn=a,dc=x", { who: "alice" }), 60_002), undefined);
});

test("an event without author and purpose is ignored", () => {
  const authors = attribution();
  for (const additional of [null, 7, "text", [], { who: 7 }]) authors.addEvent(event("cn=a,dc=x", additional), 0);
  assert.equal(authors.addChange("a", "cn=a,dc=x", 1), undefined);
});
