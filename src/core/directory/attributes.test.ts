import assert from "node:assert/strict";
import { test } from "node:test";
import { attributeName, isBinary } from "./attributes.ts";

test("case, aliases and object identifiers make no difference", () => {
  for (const name of ["cn", "CN", "commonName", "2.5.4.3", " cn "]) assert.equal(attributeName(name), "cn");
  assert.equal(attributeName("rfc822Mailbox"), "mail");
  assert.equal(attributeName("userid"), "uid");
  assert.equal(attributeName("GN"), attributeName("givenName"));
  assert.equal(attributeName("domainComponent"), "dc");
  assert.equal(attributeName("macAddress"), "macaddress");
});

test("options are sorted, each once", () => {
  assert.equal(attributeName("CN;Lang-FR"), "cn;lang-fr");
  assert.equal(attributeName("surname;x-b;Lang-FR;lang-fr"), "sn;lang-fr;x-b");
  assert.notEqual(attributeName("cn;lang-fr"), attributeName("cn"));
});

test("a normal name is normal", () => {
  for (const name of ["CN;Lang-FR", "commonName", "2.5.4.42", "userCertificate;binary", "constructor", "__proto__"]) {
    assert.equal(attributeName(attributeName(name)), attributeName(name));
  }
});

test("only the option binary makes bytes", () => {
  assert.ok(isBinary("usercertificate;binary") && isBinary("x;a;binary;b"));
  assert.ok(!isBinary("binary") && !isBinary("cn;x-binary"));
});
