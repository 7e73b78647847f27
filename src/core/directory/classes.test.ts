import assert from "node:assert/strict";
import { test } from "node:test";
import { isClass } from "./classes.ts";

test("an entry is of the classes above its own, in any case", () => {
  for (const wanted of ["inetOrgPerson", "organizationalPerson", "PERSON", "top"]) {
    assert.ok(isClass(["InetOrgPerson"], wanted), wanted);
  }
  assert.ok(isClass(["pilotOrganization"], "organization") && isClass(["pilotOrganization"], "organizationalUnit"));
  assert.ok(isClass(["OpenLDAPperson"], "person"));
});

test("an entry is not of the classes below or beside its own", () => {
  assert.ok(!isClass(["person"], "inetOrgPerson"));
  assert.ok(!isClass(["top", "posixAccount"], "person"));
  assert.ok(!isClass([], "top"));
});

test("a class that no standard knows is itself and top", () => {
  assert.ok(isClass(["crEtudiant"], "cretudiant") && isClass(["crEtudiant"], "top"));
  assert.ok(!isClass(["constructor"], "object") && !isClass(["__proto__"], "person"));
});
