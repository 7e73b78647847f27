import assert from "node:assert/strict";
import { test } from "node:test";
import { allRules, play } from "./schedule.ts";
import type { Rules } from "./world.ts";

const replay = (seed: number, rule?: string) =>
  `node test/simulation/stream/run.ts --seed ${seed}${rule ? ` --without ${rule}` : ""}`;

test("no schedule of faults breaks a promise of the stream", () => {
  for (let seed = 0; seed < 100_000; seed++) {
    const violation = play(seed);
    if (violation) assert.fail(`seed ${seed}: ${violation.message}; to see it: ${replay(seed)}`);
  }
});

/** Within how many schedules the lack of each rule is found; the rates are in docs/design/stream.md. */
const foundWithin: { readonly [rule in keyof Rules]: number } = {
  epoch: 500,
  asOf: 500,
  duplicate: 2000,
  late: 2000,
  spokenRefusal: 500,
  uniqueEpoch: 1000,
  inBandDigest: 1000,
  complete: 100,
};

for (const [rule, within] of Object.entries(foundWithin)) {
  test(`without the rule "${rule}" a promise is broken within ${within} schedules`, () => {
    const rules: Rules = { ...allRules, [rule]: false };
    const found = Array.from({ length: within }, (_, seed) => seed).some((seed) => play(seed, rules));
    assert.ok(found, `nothing was found: either the rule is of no use or the model does not see what it prevents`);
  });
}

test("a seed plays the same schedule twice", () => {
  const steps = (seed: number): string[] => {
    const lines: string[] = [];
    play(seed, allRules, (line) => lines.push(line));
    return lines;
  };
  assert.deepEqual(steps(7), steps(7));
  assert.notDeepEqual(steps(7), steps(8));
});
