import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { misuse, readOptions, wholeNumber } from "../options.ts";
import { copyOfTree, root } from "./copy.ts";
import { removals } from "./list.ts";
import { pageFile, pageOf } from "./page.ts";
import { player } from "./play.ts";
import type { Removal } from "./removal.ts";

const usage = `npm run safeguards -- [OPTION ...]   takes each safeguard away in a copy of the tree, and runs the tests nearest to it

  --only ID,…   these alone
  --file PATH   those of this file alone
  --jobs N      the number that run at a time (1)
  --page        writes docs/design/safeguards.md from the list, and plays nothing

Ends with 1 if one survives, or if its text is not found exactly once.`;
const values = readOptions(usage, {
  only: { type: "string" },
  file: { type: "string" },
  jobs: { type: "string", default: "1" },
  page: { type: "boolean", default: false },
});

if (values.page) {
  const page = pageOf(removals);
  writeFileSync(join(root, pageFile), page);
  process.exit();
}

const only = values.only?.split(",");
for (const id of only ?? [])
  if (!removals.some((removal) => removal.id === id)) misuse(usage, `there is no safeguard "${id}"`);
if (values.file !== undefined && !existsSync(join(root, values.file)))
  misuse(usage, `there is no file "${values.file}"`);
const chosen = removals.filter(
  ({ id, file, equivalent }) =>
    equivalent === undefined && (only?.includes(id) ?? true) && (values.file ?? file) === file,
);
const jobs = wholeNumber(usage, "--jobs", values.jobs, 1);

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort(new Error(signal)));

const began = performance.now();
const left = [...chosen];
const survived: string[] = [];
const unplayable: string[] = [];
let played = 0;

async function job(): Promise<void> {
  using copy = copyOfTree();
  const play = player(copy, stop.signal);
  for (let removal = left.shift(); removal; removal = left.shift()) await one(removal, play);
}

async function one(removal: Removal, play: ReturnType<typeof player>): Promise<void> {
  const start = performance.now();
  let said: string;
  try {
    const noticed = await play(removal);
    if (noticed === undefined) survived.push(removal.id);
    said = noticed ?? "SURVIVED";
  } catch (error) {
    stop.signal.throwIfAborted();
    unplayable.push(removal.id);
    said = (error as Error).message;
  }
  played += 1;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${played}/${chosen.length} ${removal.id} (${seconds} s): ${said}`);
}

try {
  await Promise.all(Array.from({ length: Math.min(jobs, chosen.length) }, job));
} catch (error) {
  if (!stop.signal.aborted) throw error;
  console.log("stopped");
}
const minutes = ((performance.now() - began) / 60_000).toFixed(1);
console.log(`${played} of ${chosen.length} safeguards were taken away in ${minutes} min`);
if (survived.length > 0) console.log(`survived: ${survived.join(", ")}`);
if (unplayable.length > 0) console.log(`could not be played: ${unplayable.join(", ")}`);
process.exitCode = survived.length + unplayable.length > 0 || stop.signal.aborted ? 1 : 0;
