import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Bisected, bisect } from "./bisect.ts";

/** A check that refuses some numbers, and names the first of them. */
const refusing =
  (bad: ReadonlySet<number>, seen: { checks: number } = { checks: 0 }) =>
  async (items: readonly number[]): Promise<string | undefined> => {
    seen.checks += 1;
    const found = items.find((one) => bad.has(one));
    return found === undefined ? undefined : `bad: ${found}`;
  };

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
const inOrder = (items: readonly number[]): number[] => items.toSorted((a, b) => a - b);

/** The result of a bisection that found no fault in its baseline. */
function decided<T>(found: Bisected<T, string> | object): Bisected<T, string> {
  assert.ok("good" in found, JSON.stringify(found));
  return found as Bisected<T, string>;
}

const some = fc.integer({ min: 1, max: 200 }).chain((count) =>
  fc.record({
    count: fc.constant(count),
    bad: fc.uniqueArray(fc.nat(count - 1), { minLength: 1, maxLength: Math.min(count, 8) }),
  }),
);

test("refused items are found with the answer to each, and all others are good", async () => {
  await fc.assert(
    fc.asyncProperty(some, async ({ count, bad }) => {
      const { good, refused, untried } = decided(await bisect(numbers(count), refusing(new Set(bad))));
      assert.deepEqual(
        refused,
        inOrder(bad).map((one) => ({ items: [one], why: `bad: ${one}` })),
      );
      assert.deepEqual(
        inOrder(good),
        numbers(count).filter((one) => !bad.includes(one)),
      );
      assert.deepEqual(untried, []);
    }),
  );
});

test("a check that names the refused item is asked twice for each", async () => {
  const blamed = (items: readonly number[], why: string) => items.find((one) => why === `bad: ${one}`);
  await fc.assert(
    fc.asyncProperty(some, async ({ count, bad }) => {
      const seen = { checks: 0 };
      const check = refusing(new Set(bad), seen);
      const { good, refused } = decided(await bisect(numbers(count), check, { blamed, independent: true }));
      assert.deepEqual([good.length, refused.length], [count - bad.length, bad.length]);
      assert.ok(seen.checks <= 2 + 2 * bad.length, `${seen.checks} checks`);
    }),
  );
});

test("a check that blames a good item costs one more check", async () => {
  const check = async (items: readonly number[]) => (items.includes(6) ? "bad: 1" : undefined);
  const found = await bisect(numbers(8), check, { blamed: (items) => items.find((one) => one === 1) });
  assert.deepEqual(decided(found).refused, [{ items: [6], why: "bad: 1" }]);
});

test("one refused item among a thousand costs some two dozen checks", async () => {
  const seen = { checks: 0 };
  const found = await bisect(numbers(1000), refusing(new Set([617]), seen));
  assert.ok("refused" in found);
  assert.ok(seen.checks < 25, `${seen.checks} checks`);
});

test("items left over when the checks or the time are spent are untried", async () => {
  const seen = { checks: 0 };
  const bad = refusing(new Set([1, 40, 99]), seen);
  const few = decided(await bisect(numbers(100), bad, { checks: 7 }));
  assert.equal(seen.checks, 7);
  assert.deepEqual(
    inOrder([...few.good, ...few.refused.flatMap(({ items }) => items), ...few.untried]),
    numbers(100),
    "each item is in one of the three",
  );
  assert.ok(few.untried.includes(99));
  const late = decided(await bisect(numbers(100), bad, { isOver: () => seen.checks > 12 }));
  assert.ok(late.untried.length > 0);
});

test("beyond the limit of refusals items are refused together", async () => {
  const seen = { checks: 0 };
  const { good, refused } = decided(
    await bisect(numbers(1000), refusing(new Set(numbers(1000)), seen), { refusals: 50 }),
  );
  assert.deepEqual([good.length, refused.flatMap(({ items }) => items).length], [0, 1000]);
  assert.equal(refused.slice(0, 50).flatMap(({ items }) => items).length, 50);
  assert.ok(seen.checks < 130, `${seen.checks} checks`);
});

test("a check that refuses everything, or begins to, blames no item", async () => {
  const broken = await bisect([1, 2], async () => "no such program");
  assert.deepEqual(broken, { baseline: "no such program", at: "start" });
  let checks = 0;
  const breaks = await bisect([1, 2, 3], async () => (++checks > 1 ? "disk full" : undefined));
  assert.deepEqual(breaks, { baseline: "disk full", at: "end" });
  const passed = await bisect([1, 2, 3], async () => undefined);
  assert.deepEqual(passed, { good: [1, 2, 3], refused: [], untried: [] }, "the check refuses them no more");
  checks = 2;
  const once = await bisect([1, 2, 3, 4], async (items) => (items.length > 2 && ++checks < 6 ? "busy" : undefined));
  assert.equal(decided(once).good.length, 4);
});

test("a check that refuses everything after the last refusal blames no item", async () => {
  const seen = { checks: 0 };
  const bad = refusing(new Set([2]), seen);
  const found = await bisect(
    [1, 2],
    async (items) => (await bad(items)) ?? (seen.checks > 4 ? "disk full" : undefined),
  );
  assert.deepEqual(found, { baseline: "disk full", at: "end" });
});

test("an item refused before the one it needs gets a second chance", async () => {
  const check = async (items: readonly string[]) =>
    items.includes("bad") || (items.includes("alias") && !items.includes("target")) ? "no" : undefined;
  const items = ["alias", "bad", "target"];
  assert.deepEqual(decided(await bisect(items, check)).refused, [{ items: ["bad"], why: "no" }]);
  const alone = decided(await bisect(items, check, { independent: true }));
  assert.deepEqual(alone.good, ["target"]);
});
