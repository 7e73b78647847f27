import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CellTable } from "./cell-table.ts";
import { hashEnd } from "./digest.ts";
import { messageLimit, streamMessage } from "./messages.ts";
import { nextEpoch, StreamWriter } from "./transcriber-end.ts";

const asOf = { state: ["20261122102000.000000Z#000000#001#000000"], clock: 1 };
const telling = (rows: readonly (readonly [string, string])[] = [], options = {}) => {
  const table = new CellTable("dhcp");
  table.apply(rows);
  return new StreamWriter("dhcp", table, { epoch: 7, ...options });
};

test("every change is one higher, and a digest carries the last place", () => {
  const told = telling();
  assert.equal(told.digest(asOf).seq, 0);
  assert.deepEqual(
    [told.rows([["a", "{}"]], asOf), told.rows([["a", null]], asOf)].flat().map(({ seq }) => seq),
    [1, 2],
  );
  assert.equal(told.digest(asOf).seq, 2);
  assert.equal(told.part(0, hashEnd, asOf).seq, 2);
});

test("a change above the limit travels in ordered pieces that lose nothing", () => {
  const cell = "x".repeat(messageLimit / 3);
  const changes = ["a", "b", "c", "d", "e"].map((key) => [key, cell] as const);
  const pieces = telling().rows(changes, asOf);
  assert.deepEqual(
    pieces.map(({ piece, more, seq }) => ({ piece, more, seq })),
    [
      { piece: 0, more: true, seq: 1 },
      { piece: 1, more: true, seq: 1 },
      { piece: 2, more: false, seq: 1 },
    ],
  );
  assert.deepEqual(
    pieces.flatMap(({ rows }) => rows),
    changes,
  );
});

test("a written message reads back as it was", () => {
  const told = telling([["a", "{}"]], { rolledBack: true });
  const messages = [
    ...told.rows([["b", null]], asOf),
    told.digest(asOf),
    told.digest(asOf, { buckets: true }),
    told.part(0, hashEnd, asOf),
  ];
  for (const message of messages) assert.deepEqual(streamMessage.parse(JSON.parse(JSON.stringify(message))), message);
});

test("only an epoch that rolls back is marked so", () => {
  assert.equal(telling().digest(asOf).rolledBack, undefined);
  assert.equal(telling([], { rolledBack: true }).digest(asOf).rolledBack, true);
});

test("an epoch is above the clock and every epoch heard", () => {
  const clock = fc.integer({ min: 0, max: Date.UTC(2200, 0) });
  fc.assert(
    fc.property(clock, clock, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (now, earlier, chance) => {
      const heard = nextEpoch(earlier, 0, () => chance);
      const epoch = nextEpoch(now, heard, () => chance);
      assert.ok(epoch > heard);
      assert.ok(epoch >= now * 1000);
      assert.ok(Number.isSafeInteger(epoch));
    }),
  );
});

test("two epochs that start in one millisecond differ by chance", () => {
  assert.notEqual(
    nextEpoch(5, 0, () => 0.1),
    nextEpoch(5, 0, () => 0.2),
  );
});
