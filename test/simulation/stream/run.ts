import { parseArgs } from "node:util";
import { allRules, play } from "./schedule.ts";
import type { Rules } from "./world.ts";

/**
 * `node test/simulation/stream/run.ts [--seeds N] [--from N] [--without RULE]` counts violating schedules;
 * with `--seed N` it plays one and prints it step by step.
 */
const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "20000" },
    from: { type: "string", default: "0" },
    without: { type: "string", multiple: true, default: [] },
  },
});
const off = values.without;
for (const rule of off) {
  if (!(rule in allRules)) throw new Error(`no rule "${rule}": there are ${Object.keys(allRules).join(", ")}`);
}
const rules: Rules = { ...allRules, ...Object.fromEntries(off.map((rule) => [rule, false])) };

if (values.seed !== undefined) {
  const violation = play(Number(values.seed), rules, console.log);
  console.log(violation ? `violated: ${violation.message}` : "no violation");
  process.exitCode = violation ? 1 : 0;
} else {
  const first = Number(values.from);
  const count = Number(values.seeds);
  const found = new Map<string, number[]>();
  const started = performance.now();
  for (let seed = first; seed < first + count; seed++) {
    const violation = play(seed, rules);
    if (violation) found.set(violation.promise, [...(found.get(violation.promise) ?? []), seed]);
  }
  const seconds = (performance.now() - started) / 1000;
  const total = [...found.values()].reduce((sum, seeds) => sum + seeds.length, 0);
  console.log(
    `${off.length ? `without ${off.join(", ")}` : "all rules"}: ${total} of ${count} schedules violated, ${seconds.toFixed(1)} s`,
  );
  for (const [promise, seeds] of found) console.log(`  ${promise}: ${seeds.length}, first with --seed ${seeds[0]}`);
  process.exitCode = total > 0 ? 1 : 0;
}
