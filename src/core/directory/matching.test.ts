import assert from "node:assert/strict";
import { test } from "node:test";
import { exactDn, normalDn } from "./dn.ts";
import { comparable } from "./matching.ts";
import { schemaOf } from "./schema.ts";

const one = (attribute: string, ...texts: string[]): boolean =>
  new Set(texts.map((text) => comparable(attribute, text))).size === 1;

test("values are compared by their attribute's rule, or exactly if none is known", () => {
  assert.ok(
    one("uid", "Alice", " aLICE ") && one("cn;lang-fr", "École", "ÉCOLE") && one("mail", "A@x.example", "a@X.example"),
  );
  assert.ok(!one("krbprincipalname", "alice@CAMPUS", "ALICE@CAMPUS") && !one("memberuid", "alice", "Alice"));
  assert.ok(!one("campusroom", "b12", "B12") && !one("campusroom", "b  12", "b 12"));
  assert.ok(one("telephonenumber", "+33 1-23", "+33123") && !one("telephonenumber", "+33124", "+33123"));
  assert.ok(
    !one("telephonenumber", "1 x", "1 X") && one("x121address", "1 2", "12") && !one("userpassword", "ﬁ", "fi"),
  );
  assert.ok(one("postaladdress", "A $ b", "a$B") && one("uniquemember", "CN=a,dc=x#'01'B", "cn=A, dc=X#'01'B"));
  assert.ok(!one("uniquemember", "cn=a,dc=x#'01'B", "cn=a,dc=x") && !one("uniquemember", "no dn", "No dn"));
  assert.ok(one("createtimestamp", "20260301000000.50Z", "202603010100.5+01"));
  assert.ok(!one("createtimestamp", "20260301000000Z", "20260301000000.000001Z"));
  assert.ok(!one("createtimestamp", "20260230000000Z", "20260302000000Z"), "there is no such day");
  assert.ok(one("member", "CN=A, DC=x", "cn=a,dc=X") && !one("member", "no dn", "No dn"));
});

test("a schema gives each attribute its names and its rule", () => {
  const schema = schemaOf([
    { names: ["campusRoom", "Raum", "1.2.3"], equality: "caseIgnoreMatch" },
    { names: ["cn", "commonName", "2.5.4.3"], equality: "2.5.13.5" },
    { names: ["surname", "sn"], equality: "caseExactMatch" },
    { names: ["photo"] },
    { names: ["odd"], equality: "someOwnMatch" },
  ]);
  assert.deepEqual(["RAUM", "1.2.3", "campusroom;lang-b;lang-a", "commonname", "gn", "SN"].map(schema.nameOf), [
    ...["campusroom", "campusroom", "campusroom;lang-a;lang-b", "cn", "givenname", "sn"],
  ]);
  assert.equal(comparable("campusroom;lang-a", "B12", schema), comparable("campusroom", "b12", schema));
  assert.notEqual(comparable("cn", "B12", schema), comparable("cn", "b12", schema));
  assert.notEqual(comparable("photo", "B12", schema), comparable("photo", "b12", schema));
  assert.equal(normalDn("raum=B12,2.5.4.3=A", schema), "campusroom=b12,cn=A");
  assert.equal(normalDn("odd=B12", schema), "odd=b12");
  assert.equal(exactDn("odd=\\20B  12 ,cn=a", schema), "odd=\\20B  12,cn=a");
  assert.equal(comparable("uid", "A", schema), comparable("uid", "a", schema), "of which it says nothing");
});
