import assert from "node:assert/strict";
import { test } from "node:test";
import { ageOf } from "./age.ts";

test("a moment further ahead than a clock's correction has no age", () => {
  const now = Date.UTC(2026, 10, 22);
  assert.deepEqual(
    [-5000, 0, 5000, 180_000, 180_001].map((ahead) => ageOf(now + ahead, now)),
    [5000, 0, 0, 0, Number.POSITIVE_INFINITY],
  );
});
