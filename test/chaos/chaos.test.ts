import assert from "node:assert/strict";
import { test } from "node:test";
import { chaos } from "./chaos.ts";
import { summaryLines } from "./summary.ts";

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

test(`what is killed, stopped, cut off and restored while the directory changes serves in the end what it says (SEED=${seed})`, {
  timeout: 600_000,
}, async (t) => {
  const summary = await chaos({
    seed,
    goesOn: (rounds) => rounds < 1,
    storm: { length: 15_000, restoredLast: false },
    patience: 240_000,
    log: () => {},
    signal: t.signal,
  });
  for (const line of summaryLines(seed, summary)) t.diagnostic(line);
  assert.deepEqual(summary.differences, [], `SEED=${seed}; what everybody said is in ${summary.kept}`);
});
