import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { StoredEntry } from "../../core/directory/entry.ts";
import { UserError } from "../../core/util/errors.ts";
import { contentReader, readContent } from "./content.ts";
import { lineLimit } from "./lines.ts";

const read = (text: string | Uint8Array): StoredEntry[] => readContent(Buffer.from(text), "x.ldif");
const first = (text: string | Uint8Array): [string, unknown[]][] =>
  [...read(text)[0]!.attributes].map(([name, values]) => [name, [...values]]);

function refused(text: string | Uint8Array, message: string | RegExp): void {
  assert.throws(
    () => read(text),
    (error: Error) => {
      assert.ok(error instanceof UserError, error.stack);
      if (typeof message === "string") assert.equal(error.message, message);
      else assert.match(error.message, message);
      return true;
    },
  );
}

test("an entry is read with normal names and its values as written", () => {
  const [entry] = read(
    "version: 1\n\ndn: CN=Ada,DC=Campus\nobjectClass: top\nOBJECTCLASS: person\nsurname:  Lovelace \n",
  );
  assert.deepEqual(entry, {
    uuid: "cn=ada,dc=campus",
    dn: "CN=Ada,DC=Campus",
    attributes: new Map([
      ["objectclass", ["top", "person"]],
      ["sn", ["Lovelace "]],
    ]),
  });
});

test("folded lines, comments, CRLF, a BOM and a missing newline are read", () => {
  const text =
    "\ufeffversion: 1\r\n# a folded\r\n  comment\r\ndn: cn=a,\r\n  dc=b\r\n# inside\r\n#\r\ncn: a\r\n \r\n b\r\n\r\n\r\n\r\ndn: cn=c\r\ncn: c";
  assert.deepEqual(
    read(text).map(({ dn, attributes }) => [dn, attributes.get("cn")]),
    [
      ["cn=a, dc=b", ["ab"]],
      ["cn=c", ["c"]],
    ],
  );
});

test("a fold inside a character is joined", () => {
  const bytes = Buffer.from("dn: cn=a\ncn: é\n");
  const at = bytes.indexOf(0xa9);
  const folded = Buffer.concat([bytes.subarray(0, at), Buffer.from("\n "), bytes.subarray(at)]);
  assert.deepEqual(first(folded), [["cn", ["é"]]]);
});

test("base64 is text if it is UTF-8, and bytes with the option binary", () => {
  assert.deepEqual(first("dn:: Y249w6k=\ncn:: w6k=\ncn::\nphoto:: /wA=\nx;binary:: YQ==\ny;Binary: a\n"), [
    ["cn", ["é", ""]],
    ["photo", [Uint8Array.of(0xff, 0)]],
    ["x;binary", [Uint8Array.of(0x61)]],
    ["y;binary", [Uint8Array.of(0x61)]],
  ]);
  assert.equal(read("dn:: Y249w6k=\ncn:: w6k=\n")[0]!.dn, "cn=é");
});

test("empty values, colons and options stay, a repeated value stays once", () => {
  assert.deepEqual(first("dn: cn=a\ncn:\ncn: a:b: c\ncn;Lang-FR: a\ncn;lang-fr: b\ncn: a:b: c\ncn: A:b: c\n"), [
    ["cn", ["", "a:b: c", "A:b: c"]],
    ["cn;lang-fr", ["a", "b"]],
  ]);
});

test("the entryUUID identifies an entry when it is one, and the name otherwise", () => {
  const uuid = "67C6A9B8-eafa-1039-882d-152569770969";
  assert.equal(read(`dn: cn=a\nentryUUID: ${uuid}\n`)[0]!.uuid, uuid.toLowerCase());
  assert.equal(read("dn: cn=A/b\nentryUUID: none\n")[0]!.uuid, "cn=a\\2fb");
  assert.equal(read("dn:\nobjectClass: top\n")[0]!.uuid, "");
});

test("two entries of one name or one entryUUID are refused with both lines", () => {
  refused("dn: cn=a\ncn: a\n\ndn: CN = A\ncn: a\n", 'x.ldif:4: the entry "CN = A" exists already, at line 1');
  const uuid = "entryUUID: 67c6a9b8-eafa-1039-882d-152569770969";
  refused(`dn: cn=a\n${uuid}\n\n\ndn: cn=b\n${uuid}\n`, /^x\.ldif:5: the entryUUID 67c6.* exists already, at line 1$/);
});

test("entries that a server may hold apart both stay, each with an identity", () => {
  for (const [one, other] of [
    ["roomId=lab", "roomId=LAB"],
    ["cn=file", "cn=ﬁle"],
    ["cn=élodie", "cn=ÉLODIE"],
    ["automountKey=home", "automountKey=Home"],
    ["cn=router", "cn=rou\u00adter"],
  ] as const) {
    const alone = read(`dn: ${one}\ncn: a\n`);
    const both = read(`dn: ${other}\ncn: b\n\ndn: ${one}\ncn: a\n`);
    assert.equal(new Set(both.map(({ uuid }) => uuid)).size, 2, other);
    assert.deepEqual(both[1], alone[0], "its neighbour is as before");
  }
});

test("a change record is refused with the remedy", () => {
  refused("dn: cn=a\nchangetype: delete\n", /^x\.ldif:1: "cn=a" is a change record, .*`trigger plan`/);
});

test("a mistake is named by its line, without passwords", () => {
  refused("", "x.ldif: expected at least one entry, found none");
  refused("# nothing\n\n", "x.ldif: expected at least one entry, found none");
  refused("version: 2\ndn: cn=a\ncn: a\n", "x.ldif:1: expected version 1 of LDIF, the only one there is");
  refused("dn: cn=a\n", "x.ldif:1: expected at least one attribute after the DN");
  refused("cn: a\n", 'x.ldif:1: expected "dn:" at the beginning of a record, found "cn"');
  refused("dn: cn=a\ncn: a\n\nsearch: 2\nresult: 0 Success\n", /^x\.ldif:4: .*ldapsearch -LLL/);
  refused("dn: Ada\ncn: a\n", 'x.ldif:1: "Ada" is not a DN: expected an attribute and "=" at character 1');
  refused("\n dn: cn=a\n", "x.ldif:2: begins with a space, but there is no line before it to continue");
  refused(
    "dn: cn=a\nuserPassword: x\nsecret\n",
    'x.ldif:3: expected "name: value", found 6 characters without a colon',
  );
  refused("dn: cn=a\nuserPassword:: secret!\n", 'x.ldif:2: expected base64 after "userpassword::"');
  refused("dn: cn=a\ncn:: YQ\n", /expected base64/);
  refused(
    "dn: cn=a\nphoto:< file:///etc/shadow\n",
    "x.ldif:2: photo is to be read from a URL; trigger reads nothing but this file",
  );
  refused("dn: cn=a\nmy name: x\n", 'x.ldif:2: expected the name of an attribute before the colon, found "my name"');
  refused(
    "dn: cn=a\ncn: a\ndn: cn=b\n",
    'x.ldif:3: "dn" has no place in an entry: a blank line must stand before the next record',
  );
  refused(
    "dn: cn=a\ncn: a\nchangetype: add\n",
    /x\.ldif:3: "changetype" has no place in an entry: it comes right after the DN/,
  );
  refused("dn: cn=a\ncn: a\n-\n", 'x.ldif:3: "-" has no place in an entry: it ends a modification');
  refused("dn: cn=a\ncn: a\0b\n", /^x\.ldif:2: has "\\u0000" in it/);
  refused(
    Buffer.from("dn: cn=a\ncn: \xe9\n", "latin1"),
    "x.ldif:2: is not UTF-8; write the value in base64, after a double colon",
  );
  refused("dn:: /w==\ncn: a\n", "x.ldif:1: dn: expected text, found 1 other bytes");
});

test("a comment need not be UTF-8", () => {
  assert.equal(read(Buffer.from("# \xe9\ndn: cn=a\ncn: a\n", "latin1")).length, 1);
});

test("a line beyond the limit is refused, one below it is read", () => {
  refused(`dn: cn=a\ncn: ${"a".repeat(lineLimit)}\n`, /^x\.ldif:2: has \d+ bytes, the limit is 33554432$/);
  const photo = Buffer.alloc(20_000_000, 0xff);
  const folded = photo.toString("base64").replace(/.{76}/g, "$&\n ");
  assert.ok(photo.equals(read(`dn: cn=a\njpegPhoto:: ${folded}\n`)[0]!.attributes.get("jpegphoto")![0] as Uint8Array));
});

test("50,000 entries are read in a second or two", () => {
  const entry = (index: number): string =>
    `dn: cn=machine${index},ou=Machines,dc=campus\nobjectClass: top\nobjectClass: ieee802Device\nobjectClass: ipHost\ncn: machine${index}\n` +
    `macAddress: 02:00:00:00:00:${index}\nipHostNumber: 10.0.0.${index}\nowner: uid=member${index},ou=Members,dc=campus\n` +
    `entryUUID: 67c6a9b8-eafa-1039-882d-${String(index).padStart(12, "0")}\ndescription: a machine of the campus\n\n`;
  const bytes = Buffer.from(Array.from({ length: 50_000 }, (_, index) => entry(index)).join(""));
  const started = process.cpuUsage().user; // microseconds: the machine may be busy with something else
  assert.equal(readContent(bytes, "x.ldif").length, 50_000);
  const took = (process.cpuUsage().user - started) / 1000;
  assert.ok(took < 5000, `${took} ms`); // 0.5 s on an idle machine
});

const shared = join(import.meta.dirname, "../../../../shared/data");
const skip = existsSync(shared) ? false : `${shared} is not there: LDIF of others is not tried`;

test("LDIF of other programs is read", { skip }, () => {
  const posix = readContent(readFileSync(join(shared, "posix-1000.ldif")), "posix-1000.ldif");
  assert.equal(posix.filter(({ attributes }) => attributes.get("objectclass")?.includes("posixAccount")).length, 1000);
  assert.ok(posix.every(({ uuid }) => uuid.endsWith("dc=example,dc=com")));
  const slapcat = readContent(readFileSync(join(shared, "slapcat-memberof.ldif")), "slapcat-memberof.ldif");
  assert.ok(slapcat.every(({ uuid }) => /^[0-9a-f-]{36}$/.test(uuid)));
  assert.equal(slapcat.find(({ dn }) => dn.startsWith("cn=user0,"))?.attributes.get("memberof")?.length, 5);
});

test("a file read again gives the same objects for unchanged entries", () => {
  const read = contentReader("x.ldif");
  const one = "dn: cn=a\ncn: a\n";
  const [a, b] = read(Buffer.from(`# first\n\nversion: 1\n\n${one}\ndn: cn=b\ncn: b\n`));
  const again = read(Buffer.from(`dn: cn=b\r\ncn: b\r\nsn: x\r\n\r\n${one}`));
  assert.equal(again[1], a);
  assert.notEqual(again[0], b);
  assert.deepEqual(again[0]?.attributes.get("sn"), ["x"]);
});

test("an error in a block names its line in the file", () => {
  const good = "dn: cn=a\ncn: a\n\n\n# comment\n\ndn: cn=b\r\ncn: b\r\n\r\n";
  assert.throws(() => readContent(Buffer.from(`${good}dn: cn=c\nno colon\n`), "x.ldif"), /^UserError: x\.ldif:11: /);
  assert.throws(() => readContent(Buffer.from(`${good}dn: cn=A\ncn: a\n`), "x.ldif"), /x\.ldif:10: .*line 1/);
  assert.throws(() => readContent(Buffer.from(`${good}version: 1\ndn: cn=c\n`), "x.ldif"), /x\.ldif:10: /);
});
