import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { LeftNames } from "./left-names.ts";

/** The seconds at which searches are made, within a number of seconds, each with its names. */
async function looks(left: LeftNames, clock: ReturnType<typeof virtualClock>, seconds: number) {
  const made: [second: number, names: string][] = [];
  for (const end = clock.monotonic() + seconds * 1000; clock.monotonic() < end; await clock.advance(1000)) {
    if (left.due) made.push([clock.monotonic() / 1000, [...left.take()].sort().join()]);
  }
  return made;
}

test("a name is looked for after seconds, then ever later, then never", async () => {
  const clock = virtualClock(0);
  const left = new LeftNames(clock);
  assert.equal(left.waiting, false);
  left.add("cn=a");
  const made = await looks(left, clock, 10_000);
  assert.deepEqual(
    made,
    [3, 21, 201, 2001].map((second) => [second, "cn=a"]),
  );
  assert.equal(left.waiting, false);
});

test("names that leave together are looked for together, later ones later", async () => {
  const clock = virtualClock(0);
  const left = new LeftNames(clock);
  left.add("cn=a");
  left.add("cn=B");
  await clock.advance(2_000);
  left.add("cn=c");
  assert.deepEqual(await looks(left, clock, 5), [
    [3, "cn=a,cn=b"],
    [5, "cn=c"],
  ]);
});

test("one look makes up for missed ones", async () => {
  const clock = virtualClock(0);
  const left = new LeftNames(clock);
  left.add("cn=a");
  left.rest(100_000);
  assert.deepEqual(
    (await looks(left, clock, 300)).map(([second]) => second),
    [100, 201],
  );
});

test("a value that is no name is not looked for", () => {
  const left = new LeftNames(virtualClock(0));
  left.add("no name");
  assert.equal(left.waiting, false);
});
