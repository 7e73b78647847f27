import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { sift } from "./bisect.ts";

const unbounded = { checks: 100_000, over: () => false };

const refusing =
  (bad: ReadonlySet<number>, seen: { checks: number } = { checks: 0 }) =>
  async (some: readonly number[]): Promise<string | undefined> => {
    seen.checks += 1;
    const found = some.filter((one) => bad.has(one));
    return found.length === 0 ? undefined : `bad: ${found[0]}`;
  };

test("whichever are guilty, they are found, each with what the check says, and all others are good", async () => {
  const some = fc.integer({ min: 1, max: 200 }).chain((count) =>
    fc.record({
      count: fc.constant(count),
      bad: fc.uniqueArray(fc.nat(count - 1), { minLength: 1, maxLength: Math.min(count, 8) }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(some, async ({ count, bad }) => {
      const all = Array.from({ length: count }, (_, n) => n);
      const found = await sift(all, refusing(new Set(bad)), unbounded);
      assert.ok("good" in found);
      assert.deepEqual(
        found.guilty,
        bad.toSorted((a, b) => a - b).map((one) => ({ one, why: `bad: ${one}` })),
      );
      assert.deepEqual(
        found.good.toSorted((a, b) => a - b),
        all.filter((one) => !bad.includes(one)),
      );
    }),
  );
});

test("one among a thousand costs some two dozen checks", async () => {
  const seen = { checks: 0 };
  const all = Array.from({ length: 1000 }, (_, n) => n);
  const found = await sift(all, refusing(new Set([617]), seen), unbounded);
  assert.ok("guilty" in found);
  assert.ok(seen.checks < 25, `${seen.checks} checks`);
});

test("a budget of checks or of time that is spent blames nobody, and says so", async () => {
  const all = Array.from({ length: 100 }, (_, n) => n);
  const seen = { checks: 0 };
  const bad = refusing(new Set([1, 40, 99]), seen);
  const few = await sift(all, bad, { checks: 7, over: () => false });
  assert.ok("undecided" in few && /within 7 checks/.test(few.undecided), JSON.stringify(few));
  assert.equal(seen.checks, 7);
  const late = await sift(all, bad, { checks: 1000, over: () => seen.checks > 12 });
  assert.ok("undecided" in late && /the time/.test(late.undecided), JSON.stringify(late));
});

test("a check that refuses everything, or begins to, blames nobody", async () => {
  const broken = await sift([1, 2], async () => "no such program", unbounded);
  assert.ok("undecided" in broken && /in force now: no such program/.test(broken.undecided));
  let checks = 0;
  const breaks = await sift([1, 2, 3], async () => (++checks > 1 ? "disk full" : undefined), unbounded);
  assert.ok("undecided" in breaks);
  const passed = await sift([1, 2, 3], async () => undefined, unbounded);
  assert.deepEqual(passed, { good: [1, 2, 3], guilty: [] }, "what was refused a moment ago is refused no more");
  checks = 2;
  const once = await sift(
    [1, 2, 3, 4],
    async (some) => (some.length > 2 && ++checks < 6 ? "busy" : undefined),
    unbounded,
  );
  assert.ok("good" in once && once.good.length === 4, JSON.stringify(once));
});

test("a check that begins to refuse everything while it is asked blames nobody", async () => {
  const seen = { checks: 0 };
  const bad = refusing(new Set([2]), seen);
  const found = await sift(
    [1, 2],
    async (some) => (await bad(some)) ?? (seen.checks > 4 ? "disk full" : undefined),
    unbounded,
  );
  assert.ok("undecided" in found && /took before: disk full/.test(found.undecided), JSON.stringify(found));
});

test("one that was asked too early has a second chance", async () => {
  const check = async (some: readonly string[]) =>
    some.includes("bad") || (some.includes("alias") && !some.includes("target")) ? "no" : undefined;
  const found = await sift(["alias", "bad", "target"], check, unbounded);
  assert.ok("good" in found);
  assert.deepEqual(
    found.guilty.map(({ one }) => one),
    ["bad"],
  );
});
