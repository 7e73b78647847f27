import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { runs } from "../../../test/hostile.ts";
import { UserError } from "../../core/util/errors.ts";
import { applyRecords } from "./apply.ts";
import { readContent } from "./content.ts";
import { readRecords } from "./records.ts";

/** Reads, as content and as changes to a content: fine or a UserError. */
function tried(bytes: Uint8Array): void {
  for (const read of [
    () => readContent(bytes, "x.ldif"),
    () => applyRecords(readContent(Buffer.from(content), "x.ldif"), readRecords(bytes, "x.ldif"), "x.ldif"),
  ]) {
    try {
      read();
    } catch (error) {
      assert.ok(error instanceof UserError, (error as Error).stack);
      assert.match(error.message, /^x\.ldif:/);
    }
  }
}

const content =
  "version: 1\ndn: dc=b\ndc: b\n\ndn: ou=a,dc=b\nou: a\n\n# who\ndn: cn=a+uid=1,ou=a,dc=b\ncn: a\nuid: 1\nmail;x-a:: YW\n Jj\n\ndn: cn=c,dc=b\ncn: c\n";
const changes =
  "dn: cn=d,dc=b\ncontrol: 1.2.3 false: x\nchangetype: add\ncn: d\n\ndn: cn=c,dc=b\nchangetype: modify\nadd: sn\nsn: s\n-\ndelete: cn\ncn: x\n-\nreplace: y\n-\n\n" +
  "dn: ou=a,dc=b\nchangetype: modrdn\nnewrdn: ou=z\ndeleteoldrdn: 1\nnewsuperior: cn=c,dc=b\n\ndn: cn=d,dc=b\nchangetype: delete\n";

const pieces = fc.constantFrom(
  ...[
    "dn: ",
    "dn:: ",
    "cn=a",
    ",dc=b",
    "\n",
    "\r\n",
    "\n\n",
    "\n ",
    " ",
    ":",
    "::",
    ":<",
    "#",
    "-",
    "\n-\n",
    "changetype: ",
    "version: 1",
  ],
  ...[
    "add",
    "delete",
    "modify",
    "modrdn",
    "newrdn: ",
    "deleteoldrdn: 1",
    "newsuperior: ",
    "replace: ",
    "control: 1.2 ",
    "true",
    "YQ==",
    "\\",
    "+",
  ],
  ...["entryUUID: 67c6a9b8-eafa-1039-882d-152569770969", "é", "\0", "\ufeff", "__proto__: a", "constructor"],
);

test("arbitrary bytes are read or refused, never worse", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), tried), { numRuns: runs(1000) });
});

test("arbitrary pieces of LDIF are read or refused, never worse", () => {
  const sentence = fc.array(pieces, { maxLength: 30 });
  fc.assert(
    fc.property(sentence, (words) => tried(Buffer.from(words.join("")))),
    { numRuns: runs(3000) },
  );
});

test("LDIF with insertions, deletions or repetitions is read or refused", () => {
  const edit = fc.record({ at: fc.nat(600), gone: fc.nat(12), put: fc.oneof(pieces, fc.string({ maxLength: 4 })) });
  fc.assert(
    fc.property(fc.constantFrom(content, changes), fc.array(edit, { minLength: 1, maxLength: 4 }), (text, edits) => {
      const edited = edits.reduce((ldif, { at, gone, put }) => ldif.slice(0, at) + put + ldif.slice(at + gone), text);
      tried(Buffer.from(edited));
    }),
    { numRuns: runs(3000) },
  );
});

test("the files that are mutated are whole to begin with", () => {
  assert.equal(
    applyRecords(
      readContent(Buffer.from(content), "x"),
      readRecords(Buffer.from(changes.replace("delete: cn\ncn: x\n-\n", "")), "x"),
      "x",
    ).length,
    4,
  );
});

test("absurd shapes are read or refused in time", () => {
  const started = process.cpuUsage().user; // microseconds: the machine may be busy with something else
  for (const text of [
    `dn: cn=a\ncn: a${"\n b".repeat(300_000)}`,
    "#\n".repeat(300_000),
    "\n".repeat(500_000),
    `dn: ${"cn=a,".repeat(1_000_000)}dc=b\ncn: a\n`,
    `dn: cn=a\n${"member: x\n".repeat(100_000)}`,
    `dn: cn=a\n${Array.from({ length: 50_000 }, (_, index) => `a${index}: x\n`).join("")}`,
    `dn: cn=a\ncn:${" ".repeat(5_000_000)}x\n`,
    `dn: cn=a\ncontrol: 1.2${" ".repeat(100_000)}x\nchangetype: delete\n`,
    `dn: cn=a\n${"a;".repeat(300_000)}: x\n`,
    `dn: cn=${"\\ ".repeat(4_000)}\ncn: x\n`,
  ]) {
    tried(Buffer.from(text));
  }
  assert.ok((process.cpuUsage().user - started) / 1000 < 20_000, `${(process.cpuUsage().user - started) / 1000} ms`);
});
