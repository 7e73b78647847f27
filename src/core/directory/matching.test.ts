import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { command, startSlapd } from "../../../test/servers/slapd.ts";
import { attributeName } from "./attributes.ts";
import { comparable } from "./matching.ts";

const one = (attribute: string, ...texts: string[]): boolean =>
  new Set(texts.map((text) => comparable(attribute, text))).size === 1;

test("values are compared by their attribute's rule, or exactly if none is known", () => {
  assert.ok(
    one("uid", "Alice", " aLICE ") && one("cn;lang-fr", "École", "ÉCOLE") && one("mail", "A@x.example", "a@X.example"),
  );
  assert.ok(!one("krbprincipalname", "alice@CAMPUS", "ALICE@CAMPUS") && !one("memberuid", "alice", "Alice"));
  assert.ok(!one("campusroom", "b12", "B12") && one("campusroom", "b  12", "b 12"));
  assert.ok(one("telephonenumber", "+33 1-23", "+33123") && !one("telephonenumber", "+33124", "+33123"));
  assert.ok(one("member", "CN=A, DC=x", "cn=a,dc=X") && !one("member", "no dn", "No dn"));
});

/** The equality rule of each attribute of slapd's schemas, by its normal name. */
async function rulesOfSlapd(): Promise<Map<string, string>> {
  await using slapd = await startSlapd({ syncprov: false });
  const search = [
    "-x",
    "-LLL",
    "-o",
    "ldif-wrap=no",
    "-H",
    slapd.url,
    "-b",
    "cn=Subschema",
    "-s",
    "base",
    "attributeTypes",
  ];
  const found = execFileSync(command("ldapsearch"), search, { encoding: "utf8", maxBuffer: 1 << 24 });
  const types = new Map<string, { rule: string | undefined; above: string | undefined }>();
  for (const [, text = ""] of found.matchAll(/^attributeTypes: (.*)$/gm)) {
    const names = /NAME (?:'[^']+'|\([^)]*\))/.exec(text)?.[0] ?? "";
    const rule = / EQUALITY (\S+)/.exec(text)?.[1];
    const above = / SUP (\S+)/.exec(text)?.[1]?.toLowerCase();
    for (const [, name = ""] of names.matchAll(/'([^']+)'/g)) types.set(name.toLowerCase(), { rule, above });
  }
  const ruleOf = (name: string | undefined): string | undefined => {
    const type = types.get(name ?? "");
    return type && (type.rule ?? ruleOf(type.above));
  };
  return new Map([...types.keys()].map((name) => [attributeName(name), ruleOf(name) ?? "none"]));
}

test("the rules are those of slapd's schemas", async () => {
  const rules = await rulesOfSlapd();
  assert.ok(rules.size > 150, `${rules.size} attributes`);
  const wrong: string[] = [];
  for (const [name, rule] of rules) {
    // The log of slapd is not read here.
    if (/^(?:olc|req)/.test(name)) continue;
    const folds = one(name, "ab", "AB");
    if (/^caseIgnore/.test(rule) && !folds) wrong.push(`${name}: ${rule}`);
    if (/^caseExact|^integer|^octet|^none/.test(rule) && folds) wrong.push(`${name}: ${rule}`);
    if (
      rule === "distinguishedNameMatch" &&
      !one(name, "CN=a,dc=x", "cn=A, dc=X") &&
      !/^(?:namingcontexts|subschemasubentry|bannedmember)/.test(name)
    )
      wrong.push(`${name}: ${rule}`);
    if (rule === "telephoneNumberMatch" && !one(name, "1-2 3", "123")) wrong.push(`${name}: ${rule}`);
  }
  assert.deepEqual(wrong, []);
});
