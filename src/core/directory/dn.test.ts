import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anyText } from "../../../test/any-text.ts";
import { runs } from "../../../test/hostile.ts";
import { dnLimit, identityOfDn, isBelow, normalDn, parentOf, parseDn, rdnTexts, rdnValue } from "./dn.ts";

const same = (...dns: string[]): void => {
  for (const dn of dns) assert.equal(normalDn(dn), normalDn(dns[0]!), `${dn} and ${dns[0]}`);
};

test("case, spaces, aliases and object identifiers make no difference", () => {
  same("cn=Ada Lovelace,dc=campus", "CN = ada   LOVELACE , DC=Campus", "commonName=Ada Lovelace,dc=campus");
  same("cn=a,dc=b", "2.5.4.3=a,0.9.2342.19200300.100.1.25=b", "OID.2.5.4.3=A,domainComponent=B");
  same(
    "STREET=x,L=y,ST=z,O=o,OU=u,C=fr,UID=i",
    "streetAddress=x,localityName=y,stateOrProvinceName=z,o=o,ou=u,countryName=FR,userid=I",
  );
});

test("the ways of escaping make no difference", () => {
  same("cn=Lovelace\\, Ada,o=x", "cn=Lovelace\\2C Ada,o=x", "cn=lovelace\\2c\\20ada,o=x", "CN=LOVELACE\\,  ADA,O=X");
  same('cn=a\\"b', "cn=a\\22b");
  same("cn=\\#1", "cn=\\231", "cn= \\#1");
  same("cn=Lučić", "cn=Lu\\C4\\8Di\\C4\\87", "cn=LUČIĆ", "cn=Luc\u030cic\u0301");
  same("cn=Hi", "cn=#0c024869", "cn=#04024869", "cn=#0C026869", "cn=\\48\\69");
  same("cn=a\\\\", "cn=a\\5c", "cn=A\\5C ");
  same("cn=a=b", "cn=a\\=b", "cn=a\\3db");
});

test("spaces at the ends and doubled ones are insignificant, also when escaped", () => {
  same("cn=a b", "cn=\\ a  b\\ ", "cn= a b ", "cn=\\20a\\20\\20b\\20");
  same("cn=", "cn=\\20", "cn= ");
});

test("the values of a component may come in any order", () => {
  same("ou=Sales+cn=J. Smith,dc=example", "CN=j. smith + OU=sales,dc=example");
  assert.equal(parseDn("ou=Sales+cn=J. Smith,dc=example")[0]?.length, 2);
});

test("different names stay different", () => {
  const dns = [
    "",
    "cn=a",
    "cn=b",
    "sn=a",
    "cn=a,cn=a",
    "cn=a+cn=b",
    "cn=a\\,cn=a",
    "cn=a\\+cn=b",
    "cn=ab",
    "cn=a b",
    "cn=#0201ff",
    "cn=\\#0201ff",
  ];
  const names = [
    ...dns,
    "cn=\\ff",
    "cn=\\fe",
    "cn=\\\\2c",
    "cn=\\,",
    "automountKey=a",
    "automountKey=A",
    "ou=Straße",
    "ou=Strasse",
  ];
  const twins = ["\u00ad", "\u200b", "\u202e", "\ufe00", "\u0001", "\u0085", "\t", "\\00"].map(
    (hidden) => `cn=rou${hidden}ter`,
  );
  names.push("cn=router", ...twins);
  assert.equal(new Set(names.map((name) => normalDn(name))).size, names.length);
  assert.equal(normalDn("cn=a\\0a\u0085"), "cn=a\\0a\\c2\\85", "what steers a terminal is escaped");
});

test("a value that is not text stays in its encoding", () => {
  assert.equal(normalDn("cn=\\ff\\00"), "cn=#0402ff00");
  same("cn=\\FF\\00", "cn=#0402FF00");
  same("cn=#0201ff", "CN=#0201FF ");
  assert.equal(rdnValue("cn=#0201FF,dc=x"), "#0201ff");
  const long = `cn=${"\\ff".repeat(300)}`;
  assert.equal(normalDn(normalDn(long)), normalDn(long));
});

test("a comma in a normal DN only separates", () => {
  assert.equal(normalDn("cn=a\\,dc=x"), "cn=a\\2cdc=x");
  assert.ok(!isBelow(normalDn("cn=a\\,dc=x"), "dc=x"));
  assert.equal(normalDn("cn=a，dc"), "cn=a\\2cdc"); // NFKC makes a fullwidth comma an ordinary one
});

test("parents lead to the root DSE", () => {
  assert.equal(parentOf("cn=a,dc=x,dc=y"), "dc=x,dc=y");
  assert.equal(parentOf("dc=y"), "");
  assert.equal(parentOf(""), undefined);
  assert.equal(normalDn(" "), "");
  assert.deepEqual(parseDn(""), []);
});

test("a name is below its ancestors and not below itself", () => {
  assert.ok(isBelow("cn=a,dc=x,dc=y", "dc=y") && isBelow("cn=a,dc=x,dc=y", "dc=x,dc=y") && isBelow("dc=y", ""));
  assert.ok(
    !isBelow("dc=y", "dc=y") && !isBelow("cn=a,dc=xx", "dc=x") && !isBelow("cn=a,adc=x", "dc=x") && !isBelow("", ""),
  );
});

test("the value of the leaf is read as written, without its escapes", () => {
  assert.equal(rdnValue("cn=Lovelace\\, Ada,dc=x"), "Lovelace, Ada");
  assert.equal(rdnValue("cn=Lu\\C4\\8Di\\C4\\87+uid=l,dc=x"), "Lučić");
  assert.equal(rdnValue("CN =  a\\ \\  ,dc=x"), "a  ");
  assert.equal(rdnValue("cn=a\\\\  ,dc=x"), "a\\");
  assert.equal(rdnValue(""), "");
});

test("an identity holds no slash and is a name of the same entry", () => {
  assert.equal(identityOfDn("cn=10.0.0.0/8,dc=X"), "cn=10.0.0.0\\2f8,dc=x");
  assert.equal(identityOfDn("CN = É  B,roomId=  A  b"), "cn=É b,roomid=A  b");
  same(identityOfDn("cn=a/b\\\\/,dc=X"), "cn=a/b\\\\/,dc=X");
});

test("the written components of a DN are split at its own commas", () => {
  assert.deepEqual(rdnTexts("cn=a\\, b,dc=x\\\\,dc=Y"), ["cn=a\\, b", "dc=x\\\\", "dc=Y"]);
  assert.deepEqual(rdnTexts(""), []);
});

test("an invalid DN throws, naming the fault and its place", () => {
  const wrong = {
    "cn=a,": 'expected an attribute and "=" at character 6',
    "cn=a,,dc=x": 'expected an attribute and "=" at character 6',
    Ada: 'expected an attribute and "=" at character 1',
    "cn=a;dc=x": '";" must be written with a "\\" before it at character 5',
    'cn="a"': '"\\"" must be written with a "\\" before it at character 4',
    "cn=a\\g": 'after "\\" expected a special character or two hexadecimal digits at character 5',
    "cn=a\\": 'after "\\" expected a special character or two hexadecimal digits at character 5',
    "cn=#0": 'expected pairs of hexadecimal digits after "#" at character 5',
    "cn=#zz": 'expected pairs of hexadecimal digits after "#" at character 5',
    "cn=#41x": '"x" must be written with a "\\" before it at character 7',
    "cn;lang-fr=a": 'expected an attribute and "=" at character 1',
    "cn=a+,dc=x": 'expected an attribute and "=" at character 6',
    "cn=a\u0000": '"\\u0000" must be written with a "\\" before it at character 5',
  };
  for (const [dn, what] of Object.entries(wrong)) {
    assert.throws(() => normalDn(dn), { message: `${JSON.stringify(dn)} is not a DN: ${what}` });
  }
  assert.throws(() => normalDn(`cn=${"a".repeat(dnLimit)}`), /it has 8195 characters, the limit is 8192/);
});

const value = fc.oneof(fc.string({ unit: "grapheme" }), anyText(), fc.stringMatching(/^[ ,+"\\<>;#=/aA]{0,6}$/));
const ava = fc.tuple(fc.constantFrom("cn", "uid", "ou", "x-y", "1.2.3", "automountkey"), value);
const dn = fc.array(fc.array(ava, { minLength: 1, maxLength: 3 }), { maxLength: 4 });
const hex = (text: string): string => Buffer.from(text).toString("hex").replace(/../g, "\\$&");
const write = (parts: [string, string][][], written: (text: string) => string): string =>
  parts.map((rdn) => rdn.map(([type, text]) => `${type}=${written(text)}`).join("+")).join(",");

test("a normal DN is normal, and is a DN of the same entry", () => {
  fc.assert(
    fc.property(dn, (parts) => {
      const written = write(parts, hex);
      assert.equal(normalDn(normalDn(written)), normalDn(written));
      assert.equal(normalDn(identityOfDn(written)), normalDn(written));
      assert.equal(parseDn(normalDn(written)).length, parts.length);
    }),
  );
});

test("a name is the same however it is written", () => {
  const character = (text: string): string => text.replace(/[ "#+,;<=>\\]/g, "\\$&").replaceAll("\0", "\\00");
  const loud = (text: string): string => hex(text.replace(/[a-z]/g, (letter) => letter.toUpperCase()));
  fc.assert(
    fc.property(dn, (parts) => {
      const folded = parts.map((rdn) => rdn.filter(([type]) => type !== "automountkey"));
      const caseless = folded.filter((rdn) => rdn.length > 0);
      const turned = parts.map((rdn) => [...rdn].reverse());
      assert.equal(normalDn(write(parts, character)), normalDn(write(parts, hex)));
      assert.equal(
        normalDn(write(turned, hex).replaceAll(",", " , ").replaceAll("+", "  + ")),
        normalDn(write(parts, hex)),
      );
      assert.equal(normalDn(write(caseless, loud)), normalDn(write(caseless, hex)));
    }),
  );
});

test("any text is a DN or an error", () => {
  fc.assert(
    fc.property(fc.oneof(value, fc.stringMatching(/^[a-c=,+\\"#;2c ]{0,20}$/)), (text) => {
      try {
        assert.equal(normalDn(normalDn(text)), normalDn(text));
      } catch (error) {
        assert.match((error as Error).message, /is not a DN: /);
      }
    }),
    { numRuns: runs(2000) },
  );
});

test("50,000 names are made normal in well under a second", () => {
  const round = (): number => {
    const started = process.cpuUsage().user; // microseconds: the machine may be busy with other work
    for (let index = 0; index < 50_000; index++) {
      normalDn(`cn=Machine ${index},cn=Member ${index % 999},ou=Members,dc=campus,dc=example`);
    }
    return (process.cpuUsage().user - started) / 1000;
  };
  const least = Math.min(round(), round(), round()); // the first rounds are compiled while they run
  assert.ok(least < 1000, `${least} ms`);
});
