import assert from "node:assert/strict";
import { test } from "node:test";
import { readEvent } from "../../core/directory/event.ts";
import { attribution } from "./attribution.ts";
import { changeLines } from "./change-log.ts";

test("a line for each service names an entry, its author and their number", () => {
  const authors = attribution();
  authors.addEvent(readEvent(["h", null, { entryDN: ["cn=a"] }, { who: "alice", why: "a new laptop" }]), 0);
  const services = new Map([
    ["dhcp", [["a", "{}"] as const, ["b", null] as const]],
    ["dns", [["a", null] as const]],
  ]);
  const entries = new Map([
    ["a", "cn=a"],
    ["b", "cn=b"],
    ["c", "cn=c"],
  ]);
  assert.deepEqual(changeLines({ services, entries }, authors, 1), [
    "dhcp: 2 rows changed by cn=a (alice: a new laptop) and 2 more",
    "dns: 1 row changed by cn=a (alice: a new laptop) and 2 more",
  ]);
  assert.deepEqual(changeLines({ services, entries: new Map() }, authors, 1).at(-1), "dns: 1 row changed by the clock");
  const [late] = [authors.addEvent(readEvent(["h", null, { entryDN: ["cn=c"] }, { who: "bob" }]), 2)];
  assert.deepEqual(late, { dn: "cn=c", by: "bob" });
});
