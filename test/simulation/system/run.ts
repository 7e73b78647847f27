import { availableParallelism } from "node:os";
import { misuse, readOptions, wholeNumber } from "../../options.ts";
import { type Break, breaks } from "./breaks.ts";
import { play } from "./play.ts";
import type { Report } from "./player.ts";
import { playSeeds } from "./players.ts";
import { table } from "./search.ts";

const usage = `npm run simulate -- [OPTION ...]   plays the whole system in random schedules of faults (docs/design/simulation.md)

  --seeds N        the number of schedules (1000)
  --from N         the first of them (0)
  --seed N         this one alone, step by step
  --break NAME     without this safeguard, until a schedule violates a promise; "all" shows the first that does for each
  --all            with --break: all the schedules
  --players N      processes that play (one per core)

Safeguards: ${Object.keys(breaks).join(", ")}

Exit codes: 0 no promise was violated, 1 one was, 2 wrong use`;
const values = readOptions(usage, {
  seed: { type: "string" },
  seeds: { type: "string", default: "1000" },
  from: { type: "string", default: "0" },
  break: { type: "string" },
  all: { type: "boolean", default: false },
  players: { type: "string", default: `${availableParallelism()}` },
});
const numbered = (option: "seed" | "seeds" | "from" | "players", least?: number): number =>
  wholeNumber(usage, `--${option}`, values[option] ?? "", least);

if (values.break === "all") {
  Error.stackTraceLimit = 0;
  for await (const line of table()) console.log(line);
  process.exit();
}
const without = values.break as Break | undefined;
if (without !== undefined && !Object.hasOwn(breaks, without)) misuse(usage, `there is no safeguard "${without}"`);

if (values.seed !== undefined) await playOne(numbered("seed"));
else await playMany(numbered("from"), numbered("seeds", 1));

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
    players: numbered("players", 1),
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
