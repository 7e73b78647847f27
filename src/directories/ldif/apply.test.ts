import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredEntry } from "../../core/directory/entry.ts";
import { schemaOf } from "../../core/directory/schema.ts";
import { UserError } from "../../core/util/errors.ts";
import { applyRecords } from "./apply.ts";
import { readContent } from "./content.ts";
import { readRecords } from "./records.ts";

const uuid = "67c6a9b8-eafa-1039-882d-152569770969";
const campus = readContent(
  Buffer.from(
    `dn: dc=Campus\ndc: Campus\n\ndn: ou=People,dc=Campus\nou: People\n\ndn: uid=Ada,ou=People,dc=Campus\nuid: Ada\nsn: Lovelace\n` +
      `mail: ada@a\nmail: ada@b\nentryUUID: ${uuid}\n\ndn: cn=m,uid=Ada,ou=People,dc=Campus\ncn: m\n\ndn: ou=Old,dc=Campus\nou: Old\n`,
  ),
  "campus.ldif",
);

const apply = (text: string): StoredEntry[] => applyRecords(campus, readRecords(Buffer.from(text), "x.ldif"), "x.ldif");
const dns = (entries: StoredEntry[]): string[] => entries.map(({ dn }) => dn).sort();
const entryOf = (entries: StoredEntry[], dn: string): StoredEntry => {
  const entry = entries.find((one) => one.dn === dn);
  assert.ok(entry, `${dn} in ${dns(entries)}`);
  return entry;
};
const ada = "uid=Ada,ou=People,dc=Campus";
const modify = (steps: string): ReadonlyMap<string, unknown> =>
  entryOf(apply(`dn: ${ada}\nchangetype: modify\n${steps}`), ada).attributes;

function refused(text: string, message: string | RegExp): void {
  assert.throws(
    () => apply(text),
    (error: Error) => {
      assert.ok(error instanceof UserError, error.stack);
      if (typeof message === "string") assert.equal(error.message, `x.ldif:${message}`);
      else assert.match(error.message, message);
      return true;
    },
  );
}

test("entries are added, with or without a changetype, with their names' values", () => {
  const after = apply("dn: uid=Bob,ou=People,dc=Campus\nchangetype: add\nsn: B\n\ndn: dc=Other\ndc: Other\n");
  assert.deepEqual(entryOf(after, "uid=Bob,ou=People,dc=Campus"), {
    uuid: "uid=bob,ou=people,dc=campus",
    dn: "uid=Bob,ou=People,dc=Campus",
    attributes: new Map([
      ["sn", ["B"]],
      ["uid", ["Bob"]],
    ]),
  });
  assert.equal(after.length, campus.length + 2);
});

test("a twin stays beside its entry, and a change reaches the named one", () => {
  const twins = readContent(
    Buffer.from("dn: o=é\no: é\n\ndn: roomId=lab,o=é\ncn: a\n\ndn: roomId=LAB,O=É\ncn: b\n"),
    "twins.ldif",
  );
  const after = (text: string): string[] =>
    dns(applyRecords(twins, readRecords(Buffer.from(text), "x.ldif"), "x.ldif"));
  const modified = (dn: string): StoredEntry[] =>
    applyRecords(
      twins,
      readRecords(Buffer.from(`dn: ${dn}\nchangetype: modify\nadd: cn\ncn: c\n`), "x.ldif"),
      "x.ldif",
    );
  assert.deepEqual(after("dn: roomId=LAB,o=é\nchangetype: delete\n"), ["o=é", "roomId=lab,o=é"]);
  assert.deepEqual(after("dn: roomId=lab,O=É\nchangetype: delete\n"), ["o=é", "roomId=LAB,O=É"]);
  assert.deepEqual(entryOf(modified("roomId=Lab,O=É"), "roomId=lab,o=é").attributes.get("cn"), ["a", "c"]);
  assert.deepEqual(after("dn: O=É\nchangetype: moddn\nnewrdn: o=e\ndeleteoldrdn: 1\n"), [
    ...["o=e", "roomId=LAB,o=e", "roomId=lab,o=e"],
  ]);
  assert.throws(() => after("dn: O=É\nchangetype: delete\n"), /notAllowedOnNonLeaf/);
});

test("a twin is added where the server's schema has another name", () => {
  const rooms = readContent(Buffer.from("dn: roomId=lab\ncn: a\n"), "rooms.ldif");
  const added = (equality: string): string[] => {
    const schema = schemaOf([{ names: ["roomId"], equality }]);
    const records = readRecords(Buffer.from("dn: roomId=LAB\nchangetype: add\ncn: b\n"), "x.ldif");
    return dns(applyRecords(rooms, records, "x.ldif", schema));
  };
  assert.deepEqual(added("caseExactMatch"), ["roomId=LAB", "roomId=lab"]);
  assert.throws(() => added("caseIgnoreMatch"), /entryAlreadyExists: "roomId=LAB"/);
});

test("the content that changes are applied to is left as it was", () => {
  const before = structuredClone(campus);
  apply(`dn: ${ada}\nchangetype: modify\nadd: mail\nmail: c\n-\n\ndn: ou=Old,dc=Campus\nchangetype: delete\n`);
  assert.deepEqual(campus, before);
});

test("values are added, deleted and replaced in the order of the record", () => {
  const after = modify(
    "add: mail\nmail: c\nmail: d\n-\ndelete: mail\nmail: ADA@a\n-\nreplace: sn\nsn: King\nsn: Byron\n-\nadd: x\nx: 1\n-\ndelete: x\n-\nreplace: y\n",
  );
  assert.deepEqual(after.get("mail"), ["ada@b", "c", "d"]);
  assert.deepEqual(after.get("sn"), ["King", "Byron"]);
  assert.ok(!after.has("x") && !after.has("y"));
});

test("deleting the last value deletes the attribute", () => {
  assert.ok(!modify("delete: mail\nmail: ada@a\nmail: ada@b\n-\n").has("mail"));
});

test("a value that names an entry is compared as a name", () => {
  const after = modify("add: owner\nowner: cn=M,dc=Campus\n-\ndelete: owner\nowner: CN=m, dc=campus\n-\n");
  assert.ok(!after.has("owner"));
});

test("a rename carries the subtree, and entries without a uuid change identity", () => {
  const after = apply(
    `dn: UID=ada, ou=people,dc=campus\nchangetype: modrdn\nnewrdn: uid=King\ndeleteoldrdn: 1\nnewsuperior: ou=Old,dc=Campus\n`,
  );
  const king = entryOf(after, "uid=King,ou=Old,dc=Campus");
  assert.equal(king.uuid, uuid);
  assert.deepEqual(king.attributes.get("uid"), ["King"]);
  assert.equal(entryOf(after, "cn=m,uid=King,ou=Old,dc=Campus").uuid, "cn=m,uid=king,ou=old,dc=campus");
  assert.equal(after.length, campus.length);
});

test("a rename can keep the old value, or change case only", () => {
  const kept = apply(`dn: ${ada}\nchangetype: moddn\nnewrdn: uid=King\ndeleteoldrdn: 0\n`);
  assert.deepEqual(entryOf(kept, "uid=King,ou=People,dc=Campus").attributes.get("uid"), ["Ada", "King"]);
  const upper = apply(`dn: ${ada}\nchangetype: modrdn\nnewrdn: uid=ADA\ndeleteoldrdn: 1\n`);
  assert.deepEqual(entryOf(upper, "uid=ADA,ou=People,dc=Campus").attributes.get("uid"), ["ADA"]);
  assert.equal(upper.length, campus.length);
});

test("a subtree can be deleted from its leaves", () => {
  const after = apply(
    `dn: cn=m,${ada}\nchangetype: delete\n\ndn: ${ada}\nchangetype: delete\n\ndn: ou=People,dc=Campus\nchangetype: delete\n`,
  );
  assert.deepEqual(dns(after), ["dc=Campus", "ou=Old,dc=Campus"]);
});

test("a record that a server would refuse is refused by LDAP's name", () => {
  refused("dn: cn=z,dc=Campus\nchangetype: delete\n", '1: noSuchObject: there is no entry "cn=z,dc=Campus"');
  refused("dn: cn=z,ou=No,dc=Campus\ncn: z\n", '1: noSuchObject: there is no entry above "cn=z,ou=No,dc=Campus"');
  refused(`dn: ${ada.toUpperCase()}\nuid: Ada\n`, `1: entryAlreadyExists: "${ada.toUpperCase()}"`);
  refused(`dn: ${ada}\nchangetype: delete\n`, `1: notAllowedOnNonLeaf: there are entries below "${ada}"`);
  refused("dn: dc=Campus\nchangetype: delete\n", /notAllowedOnNonLeaf/);
  const change = `dn: ${ada}\nchangetype: modify\n`;
  refused(`${change}add: mail\nmail: ADA@B\n-\n`, "3: attributeOrValueExists: mail has this value already");
  refused(`${change}replace: sn\nsn: a\nsn: A\n-\n`, "3: attributeOrValueExists: sn has this value already");
  refused(`${change}delete: mail\nmail: no\n-\n`, "3: noSuchAttribute: mail has no such value");
  refused(`${change}delete: title\n-\n`, "3: noSuchAttribute: there is no title");
  refused(`${change}replace: uid\nuid: King\n-\n`, `1: notAllowedOnRDN: uid names the entry "${ada}"`);
  const rename = `dn: ou=People,dc=Campus\nchangetype: modrdn\n`;
  refused(`${rename}newrdn: ou=old\ndeleteoldrdn: 1\n`, '1: entryAlreadyExists: "ou=old,dc=Campus"');
  refused(`${rename}newrdn: ou=x\ndeleteoldrdn: 1\nnewsuperior: dc=No\n`, '1: noSuchObject: there is no entry "dc=No"');
  refused(`${rename}newrdn: ou=x\ndeleteoldrdn: 1\nnewsuperior: ${ada}\n`, /unwillingToPerform: .* below itself/);
  refused(
    `${rename}newrdn: ou=${"x".repeat(8170)}\ndeleteoldrdn: 1\n`,
    /^x\.ldif:1: invalidDNSyntax: .*the limit is 8192/,
  );
});

test("10,000 changes to 10,000 entries are applied in seconds", () => {
  const many = Array.from({ length: 10_000 }, (_, index) => `dn: cn=m${index},dc=Campus\ncn: m${index}\n\n`).join("");
  const renames = Array.from(
    { length: 5000 },
    (_, index) => `dn: cn=m${index},dc=Campus\nchangetype: modrdn\nnewrdn: cn=n${index}\ndeleteoldrdn: 1\n\n`,
  );
  const deletes = Array.from({ length: 5000 }, (_, index) => `dn: cn=n${index},dc=Campus\nchangetype: delete\n\n`);
  const started = process.cpuUsage().user; // microseconds: the machine may be busy with something else
  assert.equal(apply(many + renames.join("") + deletes.join("")).length, campus.length + 5000);
  assert.ok((process.cpuUsage().user - started) / 1000 < 10_000, `${(process.cpuUsage().user - started) / 1000} ms`);
});
