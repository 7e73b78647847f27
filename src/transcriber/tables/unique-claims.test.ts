import assert from "node:assert/strict";
import { test } from "node:test";
import { Claims } from "./unique-claims.ts";

test("two that have one secret are refused by name, and the secret is not said", () => {
  const claims = new Claims({ unique: ["badge", "ip"], secret: ["badge"] });
  claims.set("a", { dn: "cn=a", row: { badge: "0451-4711", ip: "10.0.0.7" } });
  claims.set("b", { dn: "cn=b", row: { badge: "0451-4711", ip: "10.0.0.7" } });
  const why = claims.conflict("a") ?? "";
  assert.match(why, /badge: a secret value is claimed by cn=a and cn=b/);
  assert.match(why, /ip: .*10\.0\.0\.7.* is claimed by cn=a and cn=b/);
  assert.doesNotMatch(why, /4711/);
});
