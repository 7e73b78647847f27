import assert from "node:assert/strict";
import { test } from "node:test";
import { slackOf } from "../../test/heap.ts";
import { identityOfDn } from "../core/directory/dn.ts";
import type { StoredEntry } from "../core/directory/entry.ts";
import { readEvent } from "../core/directory/event.ts";
import { entryReader } from "./ldap/entry.ts";
import { request } from "./ldap/requests.ts";
import { messageCutter } from "./ldap/wire.ts";
import { readContent } from "./ldif/content.ts";

const names = ["objectClass", "cn", "macAddress", "ipHostNumber", "description"];
const valuesOf = (name: string, n: number): string[] =>
  name === "description" ? [`first ${n}`, `second ${n}`] : [`${name} ${n}`];
const count = 10_000;

const readers: Record<string, () => StoredEntry[]> = {
  ldap() {
    const read = entryReader();
    return Array.from({ length: count }, (_, n) => {
      const [message] = messageCutter()(ldapEntry(n));
      const { dn, attributes } = read(message?.body ?? assert.fail("no message"));
      return { uuid: identityOfDn(dn), dn, attributes };
    });
  },
  ldif() {
    const text = Array.from({ length: count }, (_, n) => {
      const lines = names.flatMap((name) => valuesOf(name, n).map((value) => `${name}: ${value}\n`));
      return `dn: cn=m${n}\n${lines.join("")}\n`;
    });
    return readContent(Buffer.from(text.join("")), "x.ldif");
  },
  events: () =>
    Array.from({ length: count }, (_, n) => {
      const attributes = names.map((name) => [name, valuesOf(name, n)]);
      const after = { entryDN: [`cn=m${n}`], ...Object.fromEntries(attributes) };
      return readEvent([`${n}`, null, after, {}]).after ?? assert.fail("no entry");
    }),
};

for (const [name, read] of Object.entries(readers)) {
  test(`arrays of values read by ${name} take no more memory than their values need`, () => {
    const slack = slackOf(read());
    assert.ok(slack < 8, `${slack} bytes of each array are empty`);
  });
}

function ldapEntry(n: number): Buffer {
  return request(1, (writer) => {
    writer.startSequence(0x64);
    writer.writeString(`cn=m${n}`);
    writer.startSequence();
    for (const name of names) {
      writer.startSequence();
      writer.writeString(name);
      writer.startSequence(0x31);
      writer.writeStringArray(valuesOf(name, n));
      writer.endSequence();
      writer.endSequence();
    }
    writer.endSequence();
    writer.endSequence();
  });
}
