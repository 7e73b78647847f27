import assert from "node:assert/strict";
import { test } from "node:test";
import { computedIn, type RequestedAttributes, unreadOf } from "./requested-attributes.ts";

const why = (name: string, requested: RequestedAttributes): string | undefined => unreadOf(requested)(name);
const operational = ["memberof", "pwdchangedtime", "hassubordinates", "entrydn"];

test("an operational attribute is read by its name or by +, not by *", () => {
  assert.match(why("pwdchangedtime", { attributes: ["*"], operational }) ?? "", /^"\*" requests user attributes, and/);
  assert.match(why("pwdchangedtime", { attributes: ["*"] }) ?? "", /\["\*", "pwdchangedtime"\]$/);
  assert.match(why("pwdchangedtime", { attributes: ["cn"], operational }) ?? "", /^it was not requested: add it to/);
  for (const name of ["+", "pwdChangedTime"]) {
    assert.equal(why("pwdchangedtime", { attributes: ["*", name], operational }), undefined);
  }
});

test("a user attribute is read by its name, with its options, or by *", () => {
  for (const attributes of [["*"], ["commonName"]]) {
    assert.equal(why("cn", { attributes, operational }), undefined);
    assert.equal(why("cn;lang-fr", { attributes, operational }), undefined);
  }
  assert.match(why("cn", { attributes: ["+", "sn"], operational }) ?? "", /^it was not requested/);
});

test("a filter names no attribute that the server computes, except the entry's name", () => {
  const refused = ["(memberOf=cn=vpn,dc=x)", "(&(uid=*)(!( memberof=*)))", "(hasSubordinates:booleanMatch:=TRUE)"];
  for (const filter of refused) {
    assert.match(computedIn(filter, operational) ?? "", / is in directory\.filter, and the server computes it/, filter);
    assert.notEqual(computedIn(filter, undefined), undefined, filter);
  }
  const passed = ["(uid>=m)", "(!(entryDN:dnSubtreeMatch:=ou=old,dc=x))", "(member=cn=memberOf=)"];
  for (const filter of passed) assert.equal(computedIn(filter, operational), undefined, filter);
  assert.equal(computedIn("(memberOf=*)", ["pwdchangedtime"]), undefined, "389 Directory Server stores it");
});

test("a range of languages is read by each of its tags, not without one", () => {
  for (const name of ["cn;lang-fr", "cn;lang-fr-ca"]) {
    assert.equal(why(name, { attributes: ["cn;lang-"], operational }), undefined);
    assert.equal(why(name, { attributes: ["CN;lang-FR-"], operational }), undefined);
  }
  for (const name of ["cn", "sn;lang-fr", "cn;lang-de"]) {
    assert.match(why(name, { attributes: ["cn;lang-fr-"], operational }) ?? "", /^it was not requested/);
  }
});

test("an attribute that the server computes is not read, however it is asked for", () => {
  for (const attributes of [["*"], ["*", "+"], ["memberOf", "entryDN"]]) {
    assert.match(why("memberof", { attributes, operational }) ?? "", /directory\.where\("member", entry\)$/);
    assert.match(why("memberof;x", { attributes }) ?? "", /directory\.where\("member", entry\)$/);
    assert.match(why("hassubordinates", { attributes, operational }) ?? "", /directory\.children\(entry\)$/);
    assert.match(why("entrydn", { attributes, operational }) ?? "", /entry\.dn$/);
  }
});

test("memberOf is read where the schema has it as a user attribute", () => {
  assert.equal(why("memberof", { attributes: ["*"], operational: [] }), undefined);
});
