import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredEntry, Value } from "../../core/directory/entry.ts";
import { schemaOf } from "../../core/directory/schema.ts";
import { entriesNaming, formsOf } from "./naming.ts";

const entryOf = (dn: string, attribute: string, ...values: Value[]): StoredEntry => ({
  ...{ uuid: dn, dn },
  attributes: new Map([[attribute, values]]),
});
const naming = async (left: string, entries: readonly StoredEntry[], most = 100): Promise<string[]> =>
  (await entriesNaming(new Set(formsOf(left)), entries, most)).map(({ dn }) => dn);

for (const [how, left, value] of [
  ["as it is", "cn=lamp,dc=campus", "cn=lamp,dc=campus"],
  ["in another case", "cn=Lamp,dc=campus", "CN=lamp,DC=Campus"],
  ["with spaces", "cn=lamp,dc=campus", "cn=lamp, dc=campus"],
  ["by an alias", "cn=lamp,dc=campus", "commonName = lamp,dc=campus"],
  ["with other escapes", "cn=a\\, b,dc=campus", "cn=a\\2c b,dc=campus"],
  ["in letters beyond ASCII", "cn=Zoé,dc=campus", "cn=ZOÉ,dc=campus"],
  ["with bits behind it", "cn=lamp,dc=campus", "cn=lamp,dc=campus#'01'B"],
  ["above its own", "ou=a,dc=campus", "cn=lamp,ou=b,ou=a,dc=campus"],
] as const)
  test(`a value names an entry ${how}`, async () => {
    assert.deepEqual(await naming(left, [entryOf("cn=group", "member", "cn=other,dc=campus", value)]), ["cn=group"]);
  });

test("a value names an entry by the rules of the server's schema", async () => {
  const schema = schemaOf([{ names: ["roomId", "salle"], equality: "telephoneNumberMatch" }]);
  const entries = [
    entryOf("cn=group", "member", "roomId=1 2,dc=campus"),
    entryOf("cn=other", "member", "roomId=13,dc=campus"),
  ];
  for (const left of ["roomId=1-2,dc=campus", "salle=12,dc=campus"]) {
    const found = await entriesNaming(new Set(formsOf(left, schema)), entries, 100, schema);
    assert.deepEqual(
      found.map(({ dn }) => dn),
      ["cn=group"],
      left,
    );
  }
});

for (const value of ["cn=lampshade,dc=campus", "dc=campus", "lamp", "cn=lamp", "option x=cn=lamp,dc=campus", "=", ""])
  test(`${JSON.stringify(value)} does not name cn=lamp,dc=campus`, async () => {
    assert.deepEqual(await naming("cn=lamp,dc=campus", [entryOf("cn=group", "member", value)]), []);
  });

test("an entry's author and its binary values are not searched", async () => {
  const entries = ["creatorsname", "modifiersname"].map((name) => entryOf(name, name, "cn=lamp,dc=campus"));
  const bytes = entryOf("cn=bytes", "member", Buffer.from("cn=lamp,dc=campus"));
  assert.deepEqual(await naming("cn=lamp,dc=campus", [...entries, bytes]), []);
});

test("a text that is all commas costs no more than its length", async () => {
  const hostile = entryOf("cn=hostile", "description", ...Array.from({ length: 300 }, () => `a=${",".repeat(8_000)}`));
  const started = performance.now();
  assert.deepEqual(await naming("cn=lamp,dc=campus", [hostile]), []);
  assert.ok(performance.now() - started < 3_000);
});

test("names are looked for in one pass, which ends at too many entries", async () => {
  let passed = 0;
  function* entries(): Generator<StoredEntry> {
    for (; passed < 50_000; passed++) yield entryOf(`cn=${passed}`, "member", `cn=lamp${passed % 5000},dc=campus`);
  }
  const forms = new Set(Array.from({ length: 2_500 }, (_, index) => formsOf(`cn=lamp${index},dc=campus`)).flat());
  assert.equal((await entriesNaming(forms, entries(), 100_000)).length, 25_000);
  assert.equal(passed, 50_000);
  passed = 0;
  assert.equal((await entriesNaming(forms, entries(), 1_000)).length, 1_001);
  assert.ok(passed < 1_100, `${passed}`);
});
