import assert from "node:assert/strict";
import { test } from "node:test";
import { readEvent } from "../../core/directory/event.ts";
import { attribution } from "./attribution.ts";

const event = (dn: string, additional: unknown) => readEvent(["h", null, { entryDN: [dn] }, additional]);

test("an event and its change find each other by name, in either order, once", () => {
  const attributed = attribution();
  assert.equal(attributed.heard(event("CN=a,dc=x", { who: "alice", why: "new" }), 0), undefined);
  assert.equal(attributed.changed("a", "cn=a, dc=x", 1), "alice: new");
  assert.equal(attributed.changed("a", "cn=a,dc=x", 2), undefined);
  assert.deepEqual(attributed.heard(event("cn=a,dc=x", { why: "again" }), 3), { dn: "cn=a,dc=x", by: "again" });
});

test("neither waits for the other for ever", () => {
  const attributed = attribution();
  attributed.heard(event("cn=a,dc=x", { who: "alice" }), 0);
  assert.equal(attributed.changed("a", "cn=a,dc=x", 30_001), undefined);
  assert.equal(attributed.heard(event("cn=a,dc=x", { who: "alice" }), 60_002), undefined);
});

test("an event that says nothing of who and why is of no use, and no error", () => {
  const attributed = attribution();
  for (const additional of [null, 7, "text", [], { who: 7 }]) attributed.heard(event("cn=a,dc=x", additional), 0);
  assert.equal(attributed.changed("a", "cn=a,dc=x", 1), undefined);
});
