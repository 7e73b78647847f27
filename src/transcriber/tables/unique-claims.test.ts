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

const claim = (dn: string, ip: string, blessed = false) => ({ dn, row: { ip }, blessed });

test("one blessed claimant keeps its row, and the refusal of the others names it", () => {
  const claims = new UniqueClaims({ unique: ["ip"] });
  claims.set("a", claim("cn=a", "10.0.0.7"));
  claims.set("b", claim("cn=b", "10.0.0.7", true));
  claims.set("c", claim("cn=c", "10.0.0.7"));
  assert.equal(claims.conflict("b"), undefined);
  for (const key of ["a", "c"]) assert.equal(claims.conflict(key), 'ip: "10.0.0.7" is kept by cn=b (option claims)');
  claims.set("b", claim("cn=b", "10.0.0.7"));
  assert.deepEqual([...claims.changed()].sort(), ["a", "b", "c"]);
  for (const key of ["a", "b", "c"]) assert.match(claims.conflict(key) ?? "", /is claimed by cn=a and cn=b and cn=c/);
});

test("of two blessed claimants none keeps the value", () => {
  const claims = new UniqueClaims({ unique: ["ip"] });
  for (const key of ["a", "b", "c"]) claims.set(key, claim(`cn=${key}`, "10.0.0.7", key !== "c"));
  for (const key of ["a", "b", "c"]) assert.match(claims.conflict(key) ?? "", /is claimed by/);
  claims.set("a", undefined);
  assert.equal(claims.conflict("b"), undefined);
  assert.match(claims.conflict("c") ?? "", /is kept by cn=b/);
});

test("a blessed row that loses another value is refused for that value alone", () => {
  const claims = new UniqueClaims({ unique: ["mac", "ip"] });
  claims.set("a", { dn: "cn=a", row: { mac: "aa", ip: "1" }, blessed: true });
  claims.set("b", { dn: "cn=b", row: { mac: "aa", ip: "2" }, blessed: true });
  claims.set("c", { dn: "cn=c", row: { mac: "cc", ip: "1" } });
  assert.match(claims.conflict("a") ?? "", /^mac: "aa" is claimed by cn=a and cn=b$/);
  assert.match(claims.conflict("c") ?? "", /^ip: "1" is kept by cn=a/);
});

test("the reason of a row with thousands of contested values names the first ones", () => {
  const claims = new UniqueClaims({ unique: ["mac"] });
  const mac = Array.from({ length: 5_000 }, (_, index) => `${index}`);
  for (const key of ["a", "b"]) claims.set(key, { dn: `cn=${key}`, row: { mac } });
  const { sort } = Array.prototype;
  let described = 0;
  Array.prototype.sort = function (this: unknown[], ...how: Parameters<typeof sort>) {
    described += 1;
    return sort.apply(this, how);
  } as typeof sort;
  let why: string | undefined;
  try {
    why = claims.conflict("a");
  } finally {
    Array.prototype.sort = sort;
  }
  assert.match(why ?? "", /^mac: "0" is claimed by cn=a and cn=b; mac: "1" is claimed/);
  assert.equal(why?.length, 1_000);
  assert.equal(described, 50, "the claimants of a value are sorted where it is described");
});
