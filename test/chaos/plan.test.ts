import assert from "node:assert/strict";
import { test } from "node:test";
import { beginning, kinds } from "./changes.ts";
import { differ } from "./compare.ts";
import { entriesOf } from "./directory.ts";
import { expected } from "./expected.ts";
import { lots, weighted } from "./lots.ts";
import { newModel, type Written } from "./model.ts";
import { planRound } from "./plan.ts";

const now = () => Date.parse("2026-09-01T12:00:00Z");

function changes(seed: number, count: number) {
  const model = newModel();
  beginning({ model, lot: lots(seed, "beginning"), now });
  const lot = lots(seed, "changes");
  const drawn = Object.entries(kinds).map(([name, [weight, change]]) => [weight, { name, change }] as const);
  const made: (readonly [string, Written[]])[] = [];
  for (let number = 0; number < count; number++) {
    const { name, change } = weighted(drawn, lot);
    made.push([name, change({ model, lot, now })]);
  }
  return { model, made };
}

test("equal seeds give equal faults and changes, different seeds different ones", () => {
  const rounds = (seed: number) => {
    const lot = lots(seed, "plan");
    const storm = { length: 20_000, restoredLast: true };
    return [planRound(lot, storm), planRound(lot, storm)];
  };
  assert.deepEqual(rounds(7), rounds(7));
  assert.notDeepEqual(rounds(7), rounds(8));
  assert.deepEqual(changes(7, 300).made, changes(7, 300).made);
  assert.notDeepEqual(changes(7, 300).made, changes(8, 300).made);
});

test("every kind of change is made", () => {
  const { made } = changes(1, 3_000);
  const done = new Set(made.flatMap(([name, records]) => (records.length > 0 ? [name] : [])));
  assert.deepEqual(
    Object.keys(kinds).filter((name) => !done.has(name)),
    [],
  );
});

test("missing, wrong and duplicate lines are found; refused entries may retain their last line", () => {
  const { model } = changes(1, 200);
  const { names } = expected(entriesOf(model), now());
  const right = [...names.lines];
  const [first = "", second = ""] = right;
  const hasBeen = (_: string, line: string) => line === " former 10.9.9.9";
  const seen = (found: readonly string[]) => differ({ service: "names" }, names, found, { hasBeen });
  assert.ok(names.refused.size > 0 && right.length > 20, "nothing is shown by this seed");
  assert.deepEqual(seen(right), []);
  assert.deepEqual(seen(right.slice(1)), [`missing: ${first}`]);
  assert.deepEqual(seen([...right, first]), [`twice: ${first}`]);
  assert.deepEqual(seen([...right, " unknown 10.9.9.8"]), ["wrong:  unknown 10.9.9.8"]);
  assert.deepEqual(seen([...right, " former 10.9.9.9"]), []);
  const taken = ` former ${second.split(" ")[2]}`;
  assert.deepEqual(differ({ service: "names" }, names, [...right, taken], { hasBeen: () => true }), [
    `wrong: ${taken}`,
  ]);
});
