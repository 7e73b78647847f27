import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../core/util/errors.ts";
import type { LdifRecord } from "./record.ts";
import { readRecords } from "./records.ts";

const read = (text: string): LdifRecord[] => readRecords(Buffer.from(text), "x.ldif");

function refused(text: string, message: string): void {
  assert.throws(
    () => read(text),
    (error: Error) => {
      assert.ok(error instanceof UserError, error.stack);
      assert.equal(error.message, `x.ldif:${message}`);
      return true;
    },
  );
}

test("the change records of RFC 2849 are read", () => {
  const records = read(`version: 1
# Add a new entry
dn: cn=Fiona Jensen, ou=Marketing, dc=airius, dc=com
changetype: add
objectclass: top
cn: Fiona Jensen

dn: cn=Robert Jensen, ou=Marketing, dc=airius, dc=com
changetype: delete

dn: cn=Paul Jensen, ou=Product Development, dc=airius, dc=com
ChangeType: MODRDN
newrdn: cn=Paula Jensen
deleteoldrdn: 1

dn: ou=PD Accountants, ou=Product Development, dc=airius, dc=com
changetype: moddn
newrdn:: b3U9UEQgQWNjb3VudGFudHM=
deleteoldrdn: 0
newsuperior: ou=Accounting, dc=airius, dc=com

dn: cn=Paula Jensen, ou=Product Development, dc=airius, dc=com
changetype: modify
add: postaladdress
postaladdress: 123 Anystreet $ Sunnyvale, CA $ 94086
-
delete: description
-
replace: telephonenumber
telephonenumber: +1 408 555 1234
telephonenumber: +1 408 555 5678
-
delete: fax
facsimiletelephonenumber: +1 408 555 9876
-

dn: cn=Gern Jensen
cn: Gern Jensen
`);
  assert.deepEqual(
    records.map(({ kind, line }) => [kind, line]),
    [
      ["add", 3],
      ["delete", 8],
      ["rename", 11],
      ["rename", 16],
      ["modify", 22],
      ["content", 37],
    ],
  );
  assert.deepEqual(records[3], {
    dn: "ou=PD Accountants, ou=Product Development, dc=airius, dc=com",
    line: 16,
    kind: "rename",
    newRdn: "ou=PD Accountants",
    deleteOldRdn: false,
    newSuperior: "ou=Accounting, dc=airius, dc=com",
  });
  assert.deepEqual(records[4]?.kind === "modify" && records[4].modifications, [
    { kind: "add", attribute: "postaladdress", values: ["123 Anystreet $ Sunnyvale, CA $ 94086"], line: 24 },
    { kind: "delete", attribute: "description", values: [], line: 27 },
    { kind: "replace", attribute: "telephonenumber", values: ["+1 408 555 1234", "+1 408 555 5678"], line: 29 },
    { kind: "delete", attribute: "facsimiletelephonenumber", values: ["+1 408 555 9876"], line: 33 },
  ]);
});

test("a control is ignored unless it is critical, which is refused", () => {
  const control = (text: string): string => `dn: cn=a\ncontrol: ${text}\nchangetype: delete\n`;
  for (const text of ["1.2.840.113556.1.4.805", "1.2 false", "1.2 false: x", "1.2:: YQ==", "1.2 FALSE:"]) {
    assert.equal(read(control(text)).length, 1, text);
  }
  refused(control("1.2.840.113556.1.4.805 true"), "2: the critical control 1.2.840.113556.1.4.805 is not known");
  refused(control("1.2 true: x"), "2: the critical control 1.2 is not known");
  refused(control("no"), "2: control: expected an object identifier, then true or false");
  refused("dn: cn=a\ncontrol: 1.2\ncn: a\n", '1: expected "changetype:" after "control:"');
});

test("a wrong change record is named by its line and the expectation", () => {
  const change = (text: string): string => `dn: cn=a\nchangetype: ${text}\n`;
  refused(
    change("modfy"),
    '2: unknown changetype "modfy" (known: add, delete, moddn, modify, modrdn); did you mean "modify"?',
  );
  refused(change("add"), "1: expected at least one attribute after the DN");
  refused(change("delete\ncn: a"), '3: expected the end of the record, found "cn"');
  refused(change("modrdn"), "1: expected newrdn:, found the end of the record");
  refused(change("modrdn\nnewrdn: cn=b"), "1: expected deleteoldrdn:, found the end of the record");
  refused(change("modrdn\nnewrdn: cn=b,dc=x\ndeleteoldrdn: 1"), '3: expected one component of a DN, found "cn=b,dc=x"');
  refused(change("modrdn\nnewrdn: cn=b\ndeleteoldrdn: yes"), '4: deleteoldrdn: expected 0 or 1, found "yes"');
  refused(change("modrdn\nnewrdn: cn=b\ndeleteoldrdn: 1\nsn: x"), '5: expected newsuperior:, found "sn"');
  refused(change("modify\nincrement: x"), '3: expected "add:", "delete:" or "replace:", found "increment"');
  refused(change("modify\nadd: cn\nsn: x\n-"), '4: expected "cn:" or "-", found "sn:"');
  refused(change("modify\nadd: cn\n-"), "3: add: expected a value of cn");
  refused(change("modify\nadd: c n\n-"), "3: add: expected the name of an attribute");
});
