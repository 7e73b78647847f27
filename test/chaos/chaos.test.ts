import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const seed = process.env.SEED ?? `${Math.floor(Math.random() * 2 ** 31)}`;

test(`daemons serve the directory after kills, stops, cuts and restores (SEED=${seed})`, {
  timeout: 600_000,
}, async (t) => {
  const words = ["--rounds", "1", "--storm", "15", "--seed", seed];
  const run = spawn(process.execPath, [fileURLToPath(new URL("run.ts", import.meta.url)), ...words]);
  t.after(() => run.kill("SIGTERM"));
  let said = "";
  for (const stream of [run.stdout, run.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      said += text;
    });
  }
  const [code] = await once(run, "close");
  const summary = said.slice(Math.max(0, said.indexOf(`seed ${seed}: `)));
  assert.equal(code, 0, said);
  assert.match(summary, /: 1 rounds, [1-9]\d* changes, [1-9]\d* faults, 0 divergences\n/);
  for (const line of summary.trim().split("\n")) t.diagnostic(line);
});
