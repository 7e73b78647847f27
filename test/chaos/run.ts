import { parseArgs } from "node:util";
import { chaos } from "./chaos.ts";
import { summaryLines } from "./summary.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    /** So many, however long they take; and none of them ends with a restored directory, which would take a minute more. */
    rounds: { type: "string" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
    storm: { type: "string", default: "25" },
  },
});
const [minutes, seed, storm] = [Number(values.minutes), Number(values.seed), Number(values.storm)];
if (!(minutes > 0) || !Number.isInteger(seed) || !(storm > 0)) {
  throw new Error("npm run chaos -- --minutes N [--seed S] [--storm SECONDS]");
}

// However it is told to stop, it first ends what it started.
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
process.on("uncaughtException", (error) => stop.abort(error));

console.log(`seed ${seed}`);
const end = performance.now() + minutes * 60_000;
try {
  const summary = await chaos({
    seed,
    goesOn: (played) => (values.rounds === undefined ? performance.now() < end : played < Number(values.rounds)),
    storm: { length: storm * 1000, restoredLast: values.rounds === undefined },
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
  process.exit(2); // whatever is left ends with this process
}
