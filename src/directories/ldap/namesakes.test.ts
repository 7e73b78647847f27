import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { follow } from "../../../test/servers/follow.ts";
import { baseLdif, startSlapd } from "../../../test/servers/slapd.ts";
import { service } from "../../core/service/service.ts";
import { systemClock } from "../../daemon/clock.ts";
import type { DirectorySource } from "../../ports/directory.ts";
import { transcription } from "../../transcriber/tables/transcription.ts";
import { ldapSource } from "./source.ts";

const base = "dc=campus,dc=example";

const table = service({
  row: z.object({ seen: z.string() }),
  select: (entry, directory) => {
    if (!entry.is("device")) return undefined;
    const named = [directory.get(entry.maybe("description")), ...directory.follow(entry, "seeAlso")];
    const same = entry.all("serialNumber").flatMap((name) => directory.where("siteRoom", name));
    const below = directory.children(entry);
    const seen = [named, [directory.parent(entry)], below, same].map((found) => found.map((one) => one?.dn).join(" "));
    return { seen: seen.join(" | ") };
  },
  run: async () => {},
});

/** The rows that a transcriber computes of a server, by the DN of their entries. */
function rowsOf(source: DirectorySource) {
  if (!("table" in table)) throw new Error("it is a table");
  const tables = transcription(new Map([["seats", table.table]]), { timezone: "UTC" });
  const stop = new AbortController();
  const changes = source.changes(stop.signal, tables.entry)[Symbol.asyncIterator]();
  return {
    tables,
    row: (dn: string) => {
      const [, cell = ""] = tables.explain("seats", dn).cells[0] ?? [];
      return cell.startsWith("!") ? cell : (JSON.parse(cell) as { seen: string }).seen;
    },
    /** Takes the next change; returns the DNs of the entries with changed rows. */
    async next(): Promise<string[]> {
      const { value: change } = await changes.next();
      if (change.kind === "trouble") throw new Error(change.why);
      const { services } =
        change.kind === "refresh"
          ? tables.refresh(change.entries, 0, change.requested)
          : tables.change(change.put, change.removed, 0);
      return (services.get("seats") ?? []).map(([key]) => tables.entry(key)?.dn ?? key);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await changes.return?.();
    },
  };
}

const room =
  "attributetype ( 1.3.6.1.4.1.4203.666.9.1 NAME ( 'siteRoom' 'siteRaum' ) EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )";
const lab = `siteRoom=lab,${base}`;
const ofRoom = (name: string): string =>
  `dn: siteRoom=${name},${base}\nobjectClass: device\nobjectClass: extensibleObject\ncn: x\nsiteRoom: ${name}\n\n`;
const machine = (description: string, seeAlso = "siteRaum=lab, DC=Campus,dc=example"): string =>
  `dn: cn=m,siteRoom=lab,${base}\nobjectClass: device\ncn: m\ndescription: ${description}\nseeAlso: ${seeAlso}\nserialNumber: lab\n\n`;
const twin = `siteRoom=LAB,${base}`;
const atOnce = (ldif: string): string => ldif.replace(/^(dn: .*)$/gm, "$1\nchangetype: add");

test("a twin in a site's attribute changes nothing of its neighbour", async () => {
  const ldif = `${baseLdif}\n${ofRoom("lab")}${machine(`SITERAUM = \\6cab,${base}`)}`;
  await using server = await startSlapd({ ldif, schema: [room] });
  const source = ldapSource({ url: server.ldapiUrl, base, clock: systemClock, log: () => {} });
  await using rows = rowsOf(source);
  await rows.next();
  const machineRow = `${lab} ${lab} | ${lab} |  | ${lab}`;
  assert.equal(rows.row(`cn=m,${lab}`), machineRow);
  await server.modify(atOnce(ofRoom("LAB")));
  assert.deepEqual(await rows.next(), [twin]);
  assert.equal(rows.row(`cn=m,${lab}`), machineRow);
  assert.equal(rows.row(lab), ` | ${base} | cn=m,${lab} | `);
  assert.equal(rows.row(twin), ` | ${base} |  | `);
  assert.deepEqual([...rows.tables.namesakes()], [], "the server tells them apart, and so do we");
  await server.modify(`dn: ${twin}\nchangetype: delete\n\n`);
  await rows.next();
  assert.equal(rows.row(`cn=m,${lab}`), machineRow);
});

test("a server that hides its schema has the older entry answer, and both named", async () => {
  const ldif = `${baseLdif}\n${ofRoom("lab")}${machine(`siteRoom=Lab,${base}`, lab)}`;
  const frontend = ['to dn.base="cn=Subschema" by * none', "to * by * read"];
  await using server = await startSlapd({ ldif, schema: [room], frontend });
  const lines: string[] = [];
  // The administrator's own socket would see the schema.
  const source = ldapSource({ url: server.url, base, clock: systemClock, log: (line) => lines.push(line) });
  await using rows = rowsOf(source);
  await rows.next();
  assert.match(lines.join("\n"), /cn=Subschema cannot be read: names and values are compared by the standard schemas/);
  const machineRow = `${lab} ${lab} | ${lab} |  | ${lab}`;
  assert.equal(rows.row(`cn=m,${lab}`), machineRow);
  await server.modify(atOnce(ofRoom("LAB")));
  assert.deepEqual(await rows.next(), [twin]);
  assert.equal(rows.row(`cn=m,${lab}`), machineRow);
  assert.deepEqual([...rows.tables.namesakes()], [[lab, twin]]);
});

const device = (name: string, serial: string): string =>
  `dn:: ${Buffer.from(`cn=${name},${base}`).toString("base64")}\nchangetype: add\nobjectClass: device\ncn:: ${Buffer.from(name).toString("base64")}\nserialNumber: ${serial}\n\n`;

test("no name that slapd takes beside another takes anything from it", async () => {
  await using server = await startSlapd({ ldif: baseLdif });
  await server.modify(device("router", "1"));
  await using follower = follow(ldapSource({ url: server.ldapiUrl, base, clock: systemClock, log: () => {} }));
  await follower.refresh();
  const serial = (name: string) => follower.mirror.named(`cn=${name},${base}`)?.attributes.get("serialnumber")?.[0];
  const twins = ["\u00ad", "\u200b", "\u202e", "\ufe00", "\u0001", "\u0085"].map((hidden) => `rou${hidden}ter`);
  await server.modify(twins.map((name, index) => device(name, `twin ${index}`)).join(""));
  await follower.until(() => follower.mirror.size === 2 + twins.length);
  assert.equal(serial("router"), "1");
  assert.deepEqual(
    twins.map(serial),
    twins.map((_, index) => `twin ${index}`),
  );
  const gone = twins.map(
    (name) => `dn:: ${Buffer.from(`cn=${name},${base}`).toString("base64")}\nchangetype: delete\n\n`,
  );
  await server.modify(gone.join(""));
  await follower.until(() => follower.mirror.size === 2);
  assert.equal(serial("ROUTER"), "1");
});
