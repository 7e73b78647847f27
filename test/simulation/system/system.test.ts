import assert from "node:assert/strict";
import { test } from "node:test";
import { play } from "./play.ts";
import type { Report } from "./player.ts";
import { playSeeds } from "./players.ts";

/** The time for the schedules below, in milliseconds, and their largest number: `npm run simulate` plays any number. */
const budget = 115_000;
const most = 3000;
const least = 50;
/** The number of players: one on each core of the machine that npm test is meant for. */
const players = 2;

test("the whole system keeps its promises in random schedules of faults", async (context) => {
  const end = performance.now() + budget;
  let seed = 0;
  const broken: Report[] = [];
  await playSeeds({
    players,
    next: () => (broken.length === 0 && seed < most && (seed < least || performance.now() < end) ? seed++ : undefined),
    ended: (report) => void (report.violation && broken.push(report)),
  });
  context.diagnostic(`${seed} schedules, from seed 0`);
  assert.equal(broken.length, 0, broken.map(failure).join("\n"));
});

test("a seed replays exactly", async () => {
  const [one, two] = [await play(7), await play(7)];
  assert.deepEqual(one.log, two.log);
});

/** The result of a failed schedule, with the seed to replay it. */
const failure = ({ seed, violation, log }: Report): string =>
  [`npm run simulate -- --seed ${seed}: ${violation?.message}`, ...log].join("\n");
