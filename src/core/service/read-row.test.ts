import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { rowLimit } from "../stream/cells.ts";
import { Hostname, Ip } from "./columns.ts";
import { readRow } from "./read-row.ts";
import { type Service, service, type Table } from "./service.ts";

const declared = service({
  row: z.object({ name: Hostname, ip: Ip, password: z.string().min(8).optional(), note: z.string().optional() }),
  unique: ["ip"],
  secret: ["password"],
  select: () => undefined,
  async run() {},
}) as unknown as Service;
const table = ("table" in declared && declared.table) as Table;

const wrong = (raw: object): string => {
  const read = readRow(table, raw);
  return "wrong" in read ? read.wrong : assert.fail(`it is read: ${read.cell}`);
};

test("a row is read by its columns, and reads back to the same bytes", () => {
  const read = readRow(table, { name: "Printer", ip: "2001:DB8::1" });
  assert.ok("row" in read);
  assert.equal(read.cell, '{"ip":"2001:db8::1","name":"printer"}');
  assert.deepEqual(readRow(table, JSON.parse(read.cell)), read);
});

test("an unknown column is wrong, with the nearest one; an undefined one is absent", () => {
  assert.equal(wrong({ name: "a", ip: "10.0.0.1", nam: "b" }), "the row has no column nam; did you mean name?");
  assert.ok("row" in readRow(table, { name: "a", ip: "10.0.0.1", comment: undefined }));
});

test("each wrong column is named with the value seen", () => {
  assert.match(wrong({ name: "a b", ip: "10.0.0.256" }), /^name: .* \("a b"\); ip: .* \("10\.0\.0\.256"\)$/);
  assert.match(wrong({ ip: "10.0.0.1" }), /^name: .* \(nothing\)$/);
});

test("ten of thousands of wrong values are named, the others counted", () => {
  const { table: lists } = service({
    row: z.object({ names: z.array(Hostname) }),
    select: () => undefined,
    async run() {},
  }) as unknown as { table: Table };
  let shown = 0;
  const toJSON = (): string => {
    shown += 1;
    return "the list";
  };
  const names = Object.assign(
    Array.from({ length: 5000 }, (_, n) => `|${n}`),
    { toJSON },
  );
  const read = readRow(lists, { names });
  assert.ok("wrong" in read);
  assert.match(read.wrong, /^(?:names: [^;]* \("the list"\); ){10}and 4990 more$/);
  assert.equal(shown, 10, "each shows the whole list, so more would cost its square");
});

test("no value of a secret column is printed, nor an unknown one beside it", () => {
  const said = wrong({ name: "a", ip: "10.0.0.1", password: "short" });
  assert.match(said, /^password: /);
  assert.doesNotMatch(said, /short"|\(/);
  assert.doesNotMatch(wrong({ name: "a", ip: "10.0.0.1", pasword: "swordfish" }), /swordfish/);
});

test("a long value is cut, and a row above the limit is wrong", () => {
  assert.ok(wrong({ name: "x".repeat(10_000), ip: "10.0.0.1" }).length < 400);
  assert.match(
    wrong({ name: "a", ip: "10.0.0.1", note: "n".repeat(rowLimit) }),
    new RegExp(`^the row has \\d+ bytes, the limit is ${rowLimit}$`),
  );
});

test("any value gives a row or a reason, without an error", () => {
  fc.assert(
    fc.property(fc.object({ maxDepth: 2, withBigInt: true, withDate: true }), (raw) => {
      const read = readRow(table, raw);
      assert.ok("wrong" in read ? read.wrong.length > 0 : read.cell.startsWith("{"));
    }),
    { examples: [[{ name: 0n }]] },
  );
});
