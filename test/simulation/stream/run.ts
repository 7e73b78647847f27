import { misuse, readOptions, wholeNumber } from "../../options.ts";
import { allRules, play } from "./schedule.ts";
import type { Rules } from "./world.ts";

const usage = `node test/simulation/stream/run.ts [OPTION ...]   plays the stream between a transcriber and a host in random schedules

  --seeds N        the number of schedules (20000)
  --from N         the first of them (0)
  --seed N         this one alone, step by step
  --without RULE   without this rule; may be given more than once

Rules: ${Object.keys(allRules).join(", ")}`;
const values = readOptions(usage, {
  seed: { type: "string" },
  seeds: { type: "string", default: "20000" },
  from: { type: "string", default: "0" },
  without: { type: "string", multiple: true, default: [] },
});
const off = values.without;
for (const rule of off) if (!(rule in allRules)) misuse(usage, `there is no rule "${rule}"`);
const rules: Rules = { ...allRules, ...Object.fromEntries(off.map((rule) => [rule, false])) };

if (values.seed !== undefined) {
  const violation = play(wholeNumber(usage, "--seed", values.seed), rules, console.log);
  console.log(violation ? `violated: ${violation.message}` : "no violation");
  process.exitCode = violation ? 1 : 0;
} else {
  const first = wholeNumber(usage, "--from", values.from);
  const count = wholeNumber(usage, "--seeds", values.seeds, 1);
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
