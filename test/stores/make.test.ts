import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { initial } from "./expected.ts";
import { placesOf, saidOf } from "./expected-reports.ts";
import { openHost } from "./open.ts";
import { plainServices } from "./project.ts";

test("stores made by this version have the content of those of every version", { timeout: 60_000 }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), "trigger-made-"));
  t.after(() => rmSync(folder, { recursive: true }));
  execFileSync(process.execPath, [fileURLToPath(new URL("make.ts", import.meta.url)), folder], { stdio: "inherit" });
  const made = readdirSync(folder).sort();
  assert.deepEqual(made, ["broker.db", "directory.db", "machine.json", "owned.db", "sentences.json", "store.db"]);
  for (const name of made) assert.ok(statSync(join(folder, name)).size < 400_000, `${name} is small`);
  const { report, sentences } = openHost(t, folder);
  for (const name of [...Object.keys(initial), ...plainServices]) {
    const { stored, applied, equal, ...said } = report(name);
    assert.partialDeepStrictEqual(said, saidOf(name, sentences), name);
    if (name in initial) assert.deepEqual([stored?.seq, applied?.seq, equal?.seq], placesOf(name), name);
  }
});
