import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { stored } from "../../../test/fixtures/entry.ts";
import type { Directory, Entry, StoredEntry } from "../../core/directory/entry.ts";
import { service, type Table } from "../../core/service/service.ts";
import { transcription } from "./transcription.ts";

const count = 200;
const device = (index: number, more: Record<string, string> = {}): StoredEntry =>
  stored(`m${index}`, `cn=m${index},dc=x`, { objectClass: "device", ip: "1", ...more });
const devices = Array.from({ length: count }, (_, index) => device(index));

/** The tables of a service, and the number of elements that a piece of work sorts, in arrays of several. */
function counted(select: (entry: Entry, directory: Directory) => { ip: string }) {
  const { table } = service({ row: z.object({ ip: z.string() }), unique: ["ip"], select, async run() {} });
  const tables = transcription(new Map([["dhcp", table as Table]]), { timezone: "UTC" });
  const sorted = (work: () => void): number => {
    const { sort } = Array.prototype;
    let elements = 0;
    Array.prototype.sort = function (this: unknown[], ...how: Parameters<typeof sort>) {
      if (this.length > 1) elements += this.length;
      return sort.apply(this, how);
    } as typeof sort;
    try {
      work();
    } finally {
      Array.prototype.sort = sort;
    }
    return elements;
  };
  return { tables, sorted };
}

test("an answer that many entries read is sorted once for each change", () => {
  const { tables, sorted } = counted((entry, directory) => ({
    ip: `${entry.name} of ${directory.where("objectClass", "device").length}`,
  }));
  assert.ok(sorted(() => tables.refresh(devices, 0)) <= 4 * count);
  let moved = 0;
  const elements = sorted(() => {
    moved = tables.change([device(count)], [], 0).services.get("dhcp")?.length ?? 0;
  });
  assert.equal(moved, count + 1);
  assert.ok(elements <= 4 * count, `${elements} elements were sorted for ${count} askers`);
});

test("an answer is made once a change, and each reader may sort its copy", () => {
  const handed = new Set<unknown>();
  const { tables } = counted((entry, directory) => {
    const all = directory.where("objectClass", "device") as Entry[];
    for (const each of all) handed.add(each);
    const [first] = all;
    assert.ok(all.every(Object.isFrozen), "one asker could write into what the next one is given");
    all.splice(0, 1);
    return { ip: `${entry.name} ${first?.name}` };
  });
  tables.refresh(devices, 0);
  assert.equal(handed.size, count);
  assert.deepEqual(tables.explain("dhcp", "cn=m7,dc=x").cells[0]?.[1], '{"ip":"m7 m0"}');
  handed.clear();
  tables.change([device(count)], [], 0);
  assert.equal(handed.size, count + 1);
  for (const name of ["m7", "m9"]) {
    assert.deepEqual(tables.explain("dhcp", `cn=${name},dc=x`).reads, [
      'the entries with objectclass "device"',
      "the content of cn=m0,dc=x",
    ]);
  }
});

test("an entry that is returned and not read is no dependency", () => {
  let evaluations = 0;
  const { tables } = counted((entry, directory) => {
    evaluations += 1;
    const all = directory.where("objectClass", "device");
    return { ip: `${entry.name} ${all.length} ${all[0]?.one("ip")}` };
  });
  tables.refresh(devices, 0);
  assert.deepEqual(tables.explain("dhcp", "cn=m7,dc=x").reads, [
    'the entries with objectclass "device"',
    "the content of cn=m0,dc=x",
  ]);
  evaluations = 0;
  tables.change([device(7, { owner: "cn=p" })], [], 0);
  assert.equal(evaluations, 1);
  tables.change([device(0, { owner: "cn=p" })], [], 0);
  assert.equal(evaluations, 1 + count);
});

test("a DN that is read is a dependency, its spelling included", () => {
  const { tables } = counted((_, directory) => ({ ip: directory.get("cn=m0,dc=x")?.name ?? "" }));
  tables.refresh([device(0)], 0);
  tables.change([{ ...device(0), dn: "cn=M0,dc=x" }], [], 0);
  tables.change([device(1)], [], 0);
  assert.match(tables.explain("dhcp", "cn=m1,dc=x").cells[0]?.[1] ?? "", /M0/);
  assert.deepEqual(tables.explain("dhcp", "cn=m1,dc=x").reads, [
    "the entry named cn=m0,dc=x",
    "the content of cn=M0,dc=x",
  ]);
});

test("the refusal of many claims to one value is made once", () => {
  const { tables, sorted } = counted((entry) => ({ ip: entry.one("ip") }));
  const elements = sorted(() => tables.refresh(devices, 0));
  assert.equal(tables.refusedCount("dhcp"), count);
  assert.ok(elements <= 4 * count, `${elements} elements were sorted for ${count} claimants`);
  const { cells } = tables.explain("dhcp", "cn=m7,dc=x");
  assert.match(cells[0]?.[1] ?? "", /ip: "1" is claimed by cn=m0,dc=x and cn=m1,dc=x and cn=m10,dc=x and 197 more/);
  tables.change([], ["m0"], 0);
  const later = tables.explain("dhcp", "cn=m7,dc=x").cells;
  assert.match(later[0]?.[1] ?? "", /claimed by cn=m1,dc=x and cn=m10,dc=x and cn=m100,dc=x and 196 more/);
});
