import { parseArgs } from "node:util";
import { type Break, breaks } from "./breaks.ts";
import { play } from "./play.ts";
import { table } from "./search.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "0" },
    break: { type: "string" },
    all: { type: "boolean", default: false },
  },
});
// Stacks of the errors that the world makes on purpose cost more than the rest.
if (values.seed === undefined) Error.stackTraceLimit = 0;
if (values.break === "all") {
  for await (const line of table()) console.log(line);
  process.exit();
}
const without = values.break as Break | undefined;
if (without !== undefined && !Object.hasOwn(breaks, without)) {
  throw new Error(`no safeguard "${without}": there are all, ${Object.keys(breaks).join(", ")}`);
}

if (values.seed !== undefined) {
  const { violation, log } = await play(Number(values.seed), without);
  for (const line of log) console.log(line);
  console.log(violation ? `violated: ${violation.message}` : "no violation");
  process.exitCode = violation ? 1 : 0;
} else {
  const first = Number(values.from);
  const count = Number(values.seeds);
  const found = new Map<string, { seed: number; message: string }[]>();
  const started = performance.now();
  let played = 0;
  for (let seed = first; seed < first + count; seed++) {
    const { violation } = await play(seed, without);
    played += 1;
    if (!violation) continue;
    found.set(violation.promise, [...(found.get(violation.promise) ?? []), { seed, message: violation.message }]);
    if (without && !values.all) break;
  }
  const seconds = (performance.now() - started) / 1000;
  const total = [...found.values()].reduce((sum, seeds) => sum + seeds.length, 0);
  const rules = without ? `without "${without}" (${breaks[without].without})` : "with every safeguard";
  console.log(`${rules}: ${total} of ${played} schedules violated a promise, ${seconds.toFixed(1)} s`);
  for (const [promise, seeds] of found) {
    console.log(`  ${promise}: ${seeds.length}`);
    for (const { seed, message } of seeds.slice(0, 8)) console.log(`    --seed ${seed}: ${message}`);
  }
  process.exitCode = total > 0 ? 1 : 0;
}
