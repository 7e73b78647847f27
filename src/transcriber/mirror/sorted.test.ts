import assert from "node:assert/strict";
import { test } from "node:test";
import { sorted } from "./sorted.ts";

test("many items are sorted in steps, and equal ones keep their order", () => {
  for (const count of [0, 1, 9_999, 10_000, 10_001, 35_000]) {
    const items = Array.from({ length: count }, (_, index) => ({ key: (index * 7_919) % 1_000, index }));
    const work = sorted(items, (a, b) => a.key - b.key, "sorting");
    let steps = 0;
    let step = work.next();
    for (; !step.done; step = work.next()) steps += 1;
    assert.deepEqual(
      step.value,
      items.toSorted((a, b) => a.key - b.key),
    );
    assert.ok(steps >= count / 10_000);
  }
});
