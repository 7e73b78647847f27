import { readOptions, wholeNumber } from "../options.ts";
import { chaos } from "./chaos.ts";
import { summaryLines } from "./summary.ts";

const usage = `npm run chaos -- [OPTION ...]   breaks a network of real parts while its directory changes (docs/design/chaos.md)

  --minutes N      rounds begin for so long (10)
  --rounds N       a number of rounds instead, none of which ends with a restored directory (a minute more)
  --seed N         the faults and changes of an earlier run (a random one)
  --storm N        seconds of faults in each round (25)

Exit codes: 0 every round ended equal, 1 one did not, 2 wrong use, or it was stopped`;
const values = readOptions(usage, {
  minutes: { type: "string", default: "10" },
  rounds: { type: "string" },
  seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
  storm: { type: "string", default: "25" },
});
const minutes = wholeNumber(usage, "--minutes", values.minutes, 1);
const rounds = values.rounds === undefined ? undefined : wholeNumber(usage, "--rounds", values.rounds, 1);
const seed = wholeNumber(usage, "--seed", values.seed);
const storm = wholeNumber(usage, "--storm", values.storm, 1);

// However it is told to stop, it first ends what it started.
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
process.on("uncaughtException", (error) => stop.abort(error));

console.log(`seed ${seed}`);
const end = performance.now() + minutes * 60_000;
try {
  const summary = await chaos({
    seed,
    goesOn: (played) => (rounds === undefined ? performance.now() < end : played < rounds),
    storm: { length: storm * 1000, restoredLast: rounds === undefined },
    patience: 300_000,
    log: console.log,
    signal: stop.signal,
  });
  for (const line of summaryLines(seed, summary)) console.log(line);
  if (stop.signal.aborted) throw stop.signal.reason;
  // Not left to Node, which may keep a connection open that it was told to reset.
  process.exit(summary.differences.length > 0 ? 1 : 0);
} catch (error) {
  // What breaks after it was told to stop breaks because everything ends.
  const why = stop.signal.aborted ? stop.signal.reason : error;
  console.error(why?.name === "AbortError" ? "stopped before its end" : why);
  process.exit(2); // the remaining parts end with this process
}
