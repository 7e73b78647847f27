import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import type { Directory, Entry } from "../../src/core/directory/entry.ts";
import type { RequestedAttributes } from "../../src/core/directory/requested-attributes.ts";
import { service, type Table } from "../../src/core/service/service.ts";
import { isRefused, refusalOf } from "../../src/core/stream/cells.ts";
import { systemClock } from "../../src/daemon/clock.ts";
import { ldapSource } from "../../src/directories/ldap/source.ts";
import { transcription } from "../../src/transcriber/tables/transcription.ts";
import { baseLdif, type SlapdOptions, startSlapd } from "../servers/slapd.ts";

const base = "dc=campus,dc=example";
const alice = `uid=alice,${base}`;
const ldif = `${baseLdif}
dn: ${alice}
objectClass: account
uid: alice

dn: cn=vpn,${base}
objectClass: groupOfNames
cn: vpn
member: cn=admin,${base}
`;
const slapd: SlapdOptions = {
  ldif,
  modules: ["memberof", "ppolicy"],
  database: ["overlay memberof", "overlay ppolicy"],
};
const joins = `dn: cn=vpn,${base}\nchangetype: modify\nadd: member\nmember: ${alice}\n`;
const leaves = joins.replace("add: member", "delete: member");

type Select = (entry: Entry, directory: Directory) => unknown;

/** The tables that services have from a live directory's entry of alice, now and at each change. */
async function tablesOf(url: string, attributes: readonly string[] | undefined, selects: Record<string, Select>) {
  const services = Object.entries(selects).map(([name, select]): [string, Table] => {
    const of = (entry: Entry, directory: Directory) => (entry.is("account") ? select(entry, directory) : undefined);
    const { table } = service({ row: z.object({}), select: of as never, async run() {} });
    return [name, table as Table];
  });
  const tables = transcription(new Map(services), { timezone: "UTC" });
  const stop = new AbortController();
  const options = { url, base, clock: systemClock, log() {}, ...(attributes && { attributes }) };
  const changes = ldapSource(options).changes(stop.signal)[Symbol.asyncIterator]();
  const said = (name: string): string => {
    const [cell] = [...tables.table(name).entries()].map(([, value]) => value);
    return cell === undefined ? "no row" : isRefused(cell) ? refusalOf(cell) : "a row";
  };
  return {
    said,
    async next() {
      const { value } = await changes.next();
      if (value?.kind === "refresh") tables.refresh(value.entries, 0, value.requested);
      else if (value?.kind === "change") tables.change(value.put, value.removed, 0);
      else assert.fail(JSON.stringify(value));
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await changes.return?.();
    },
  };
}

const row = (given: boolean): object | undefined => (given ? {} : undefined);

for (const attributes of [undefined, ["*", "memberOf"], ["*", "+"]]) {
  test(`memberOf of a live slapd is refused with advice, attributes: ${attributes ?? "left out"}`, async () => {
    await using server = await startSlapd(slapd);
    await using tables = await tablesOf(server.url, attributes, {
      memberOf: (entry) => row(entry.all("memberOf").length > 0),
      has: (entry) => row(entry.has("memberof")),
      where: (entry, directory) => row(directory.where("memberOf", entry).length > 0),
      group: (entry, directory) => row(directory.where("member", entry).length > 0),
      changed: (entry) => row(entry.has("pwdChangedTime")),
      locked: (entry) => row(!entry.has("pwdAccountLockedTime")),
    });
    await tables.next();
    for (const name of ["memberOf", "has", "where"]) {
      assert.match(
        tables.said(name),
        /^memberof is not read from .*computes it.*directory\.where\("member", entry\)$/i,
      );
    }
    assert.equal(tables.said("locked"), "a row");
    const changed = attributes?.includes("+")
      ? /^no row$/
      : /^pwdChangedTime is not read .*\["\*", "pwdchangedtime"\]$/;
    assert.match(tables.said("changed"), changed);
    assert.equal(tables.said("group"), "no row");
    await server.modify(joins);
    while (tables.said("group") !== "a row") await tables.next();
    await server.modify(leaves);
    while (tables.said("group") !== "no row") await tables.next();
  });
}

test("a filter by memberOf is refused with advice", async () => {
  await using server = await startSlapd(slapd);
  const filter = `(|(objectClass=domain)(!(memberof=cn=vpn,${base})))`;
  const stop = new AbortController();
  const source = ldapSource({ url: server.url, base, filter, clock: systemClock, log() {} });
  const changes = source.changes(stop.signal)[Symbol.asyncIterator]();
  const { value } = await changes.next();
  stop.abort();
  assert.equal(value?.kind, "trouble");
  assert.match(
    value?.kind === "trouble" ? value.why : "",
    /memberof is in directory\.filter, and the server computes it .*directory\.where\("member", entry\)$/,
  );
});

test("a refresh with other requested attributes evaluates unchanged entries again", () => {
  const { table } = service({
    row: z.object({}),
    select: (entry) => row(!entry.has("memberOf")) as never,
    async run() {},
  });
  const tables = transcription(new Map([["vpn", table as Table]]), { timezone: "UTC" });
  const entries = [{ uuid: "a", dn: alice, attributes: new Map([["uid", ["alice"]]]) }];
  const refused = (requested?: RequestedAttributes): number => {
    tables.refresh(entries, 0, requested);
    return tables.refusedCount("vpn");
  };
  assert.equal(refused({ attributes: ["*"], operational: [] }), 0);
  assert.equal(refused({ attributes: ["*"], operational: ["memberof"] }), 1);
  assert.equal(refused(), 1); // a plan's file does not say what was asked
});

test("a slapd with a hidden schema is recognized by well-known operational attributes", async () => {
  await using server = await startSlapd({
    ...slapd,
    frontend: ['to dn.base="cn=Subschema" by * none', "to * by * read"],
  });
  await using tables = await tablesOf(server.url, undefined, { memberOf: (entry) => row(entry.has("memberOf")) });
  await tables.next();
  assert.match(tables.said("memberOf"), /directory\.where\("member", entry\)$/);
});
