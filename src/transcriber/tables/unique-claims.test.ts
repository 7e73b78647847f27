import assert from "node:assert/strict";
import { test } from "node:test";
import { UniqueClaims } from "./unique-claims.ts";

test("a refusal names the claimants of one secret, and not the secret", () => {
  const claims = new UniqueClaims({ unique: ["badge", "ip"], secret: ["badge"] });
  claims.set("a", { dn: "cn=a", row: { badge: "0451-4711", ip: "10.0.0.7" } });
  claims.set("b", { dn: "cn=b", row: { badge: "0451-4711", ip: "10.0.0.7" } });
  const why = claims.conflict("a") ?? "";
  assert.match(why, /badge: a secret value is claimed by cn=a and cn=b/);
  assert.match(why, /ip: .*10\.0\.0\.7.* is claimed by cn=a and cn=b/);
  assert.doesNotMatch(why, /4711/);
});
