import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { type Break, breaks } from "./breaks.ts";
import { play } from "./play.ts";
import type { Report } from "./player.ts";
import { playSeeds } from "./players.ts";
import { table } from "./search.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "0" },
    break: { type: "string" },
    all: { type: "boolean", default: false },
    players: { type: "string", default: `${availableParallelism()}` },
  },
});
if (values.break === "all") {
  Error.stackTraceLimit = 0;
  for await (const line of table()) console.log(line);
  process.exit();
}
const without = values.break as Break | undefined;
if (without !== undefined && !Object.hasOwn(breaks, without)) {
  throw new Error(`no safeguard "${without}": there are all, ${Object.keys(breaks).join(", ")}`);
}

if (values.seed !== undefined) await playOne(Number(values.seed));
else await playMany(Number(values.from), Number(values.seeds));

async function playOne(seed: number): Promise<void> {
  Error.stackTraceLimit = 0; // as its log shows them, and as where many are played
  const { violation, log } = await play(seed, without);
  for (const line of log) console.log(line);
  console.log(violation ? `violated: ${violation.message}` : "no violation");
  process.exitCode = violation ? 1 : 0;
}

async function playMany(first: number, count: number): Promise<void> {
  const started = performance.now();
  const violations: Report[] = [];
  let played = 0;
  let seed = first;
  await playSeeds({
    players: Number(values.players),
    without,
    next: () => {
      const enough = without !== undefined && !values.all && violations.length > 0;
      return seed < first + count && !enough ? seed++ : undefined;
    },
    ended(report) {
      played += 1;
      if (played % 1000 === 0) console.log(`${played} schedules played, ${violations.length} violated a promise`);
      if (!report.violation) return;
      violations.push(report);
      if (!without) console.log(`--seed ${report.seed}: ${report.violation.message}`);
    },
  });
  const seconds = (performance.now() - started) / 1000;
  const rules = without ? `without "${without}" (${breaks[without].without})` : "with every safeguard";
  console.log(`${rules}: ${violations.length} of ${played} schedules violated a promise, ${seconds.toFixed(1)} s`);
  violations.sort((a, b) => a.seed - b.seed);
  for (const [promise, broken] of Map.groupBy(violations, ({ violation }) => violation?.promise)) {
    console.log(`  ${promise}: ${broken.length}`);
    for (const { seed, violation } of broken.slice(0, 8)) console.log(`    --seed ${seed}: ${violation?.message}`);
  }
  process.exitCode = violations.length > 0 ? 1 : 0;
}
