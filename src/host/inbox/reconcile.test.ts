import assert from "node:assert/strict";
import { test } from "node:test";
import { CellTable } from "../../core/stream/cell-table.ts";
import { hashEnd, keyHash } from "../../core/stream/digest.ts";
import type { TableQuestion } from "../../core/stream/host-end.ts";
import { StreamWriter } from "../../core/stream/transcriber-end.ts";
import { reconciliation } from "./reconcile.ts";

const count = 5000;
const rows = Array.from({ length: count }, (_, i): [string, string] => [`k${i}`, '{"a":1}']);
const whole: TableQuestion = { from: 0, to: hashEnd };

/** A host's table, and a transcriber's that differs from it. */
function scene(differing: number) {
  const mine = new CellTable("dhcp");
  mine.apply(rows);
  const theirs = new CellTable("dhcp");
  theirs.apply(rows.map(([key], i) => [key, i < differing ? '{"a":2}' : '{"a":1}']));
  const inHashOrder = (from: number, to: number, most: number) => {
    const cells = [...mine.entries()]
      .map(([key, cell]) => ({ key, cell, hash: keyHash(key) }))
      .filter(({ hash }) => hash >= from && hash < to)
      .sort((a, b) => a.hash - b.hash);
    return {
      to: cells[most]?.hash ?? to,
      cells: cells.slice(0, most).map(({ key, cell }): [string, string] => [key, cell]),
    };
  };
  const { withSums, heard } = reconciliation("dhcp", { inHashOrder });
  const telling = new StreamWriter("dhcp", theirs, { epoch: 1 });
  /** Repairs the whole table; returns the bytes sent in each direction, and the number of questions with sums. */
  function repair() {
    const told = { asked: 0, said: 0, withSums: 0, questions: 0 };
    for (let from = 0; from < hashEnd; ) {
      const want = withSums({ from, to: hashEnd });
      assert.ok(typeof want === "object");
      const part = telling.part(want.from, want.to, { state: [], clock: 0 }, want.have);
      told.asked += JSON.stringify(want).length;
      told.said += JSON.stringify(part).length;
      told.withSums += Number(want.have !== undefined);
      told.questions += 1;
      mine.replace(part);
      heard(part);
      from = part.to;
    }
    assert.equal(mine.digest.root, theirs.digest.root);
    return told;
  }
  return { withSums, heard, repair, mine, theirs };
}

test("a repair of one row among thousands carries few rows and small sums", () => {
  const { said, withSums, questions } = scene(1).repair();
  assert.ok(said < 3000, `${said} bytes`);
  assert.equal(withSums, questions);
  assert.equal(questions, 3);
});

test("if every row differs, nearly all questions go without sums", () => {
  const { withSums, questions } = scene(count).repair();
  assert.ok(questions >= 10);
  assert.ok(withSums <= 4, `${withSums} of ${questions}`);
});

test("a host with few rows asks for them without sums", () => {
  const { withSums, mine } = scene(0);
  assert.equal(withSums("digest"), "digest");
  mine.replace({ from: 0, to: hashEnd, rows: rows.slice(0, 60) });
  assert.deepEqual(withSums(whole), whole);
});
