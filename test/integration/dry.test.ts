import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runningProject } from "../running-project.ts";
import { until } from "../until.ts";

/** A host that only looks, beside a file that another hand keeps. */
const looking = () =>
  runningProject({
    options: ["--dry"],
    prepare(folder) {
      mkdirSync(join(folder, "out"));
      writeFileSync(join(folder, "out/hosts"), "192.0.2.10 printer\n");
    },
  });

function change(folder: string, from: string, to: string): void {
  const ldif = join(folder, "directory.ldif");
  writeFileSync(ldif, readFileSync(ldif, "utf8").replace(from, to));
}

test("up --dry shows the difference to what is in force, follows the directory, and writes nothing there", async () => {
  await using project = await looking();
  const { folder, said } = project;
  await until(() => said().includes("box: hosts would change:"));
  assert.match(said(), /^\+2001:db8::2 laptop$/m);
  change(folder, "2001:db8::2", "2001:db8::77");
  await until(() => said().includes("+2001:db8::77 laptop"));
  assert.equal(readFileSync(join(folder, "out/hosts"), "utf8"), "192.0.2.10 printer\n");
  assert.deepEqual(readdirSync(join(folder, "out")), ["hosts"]);
});

test("up --dry says that nothing would change once the other hand has come to the same", async () => {
  await using project = await looking();
  const { folder, said } = project;
  await until(() => said().includes("box: hosts would change:"));
  writeFileSync(join(folder, "out/hosts"), "2001:db8::2 laptop\n192.0.2.11 printer\n");
  change(folder, "192.0.2.10", "192.0.2.11");
  await until(() => said().includes("box: hosts would change nothing"));
});
