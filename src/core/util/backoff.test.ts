import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff, jittered } from "./backoff.ts";

test("a wait doubles with each failure up to the longest", () => {
  const waits = [1, 2, 3, 4, 5, 2_000].map((failures) => backoff(failures, { first: 1_000, longest: 10_000 }));
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  assert.deepEqual([backoff(1), backoff(7)], [100, 5_000]);
});

test("a jittered wait is half of it at least, and less than the whole", () => {
  assert.equal(
    jittered(1_000, () => 0),
    500,
  );
  assert.ok(jittered(1_000, () => 0.999) < 1_000);
});
