import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { init } from "../../src/cli/init.ts";
import { main } from "../../src/cli/main.ts";
import { until } from "../until.ts";

/** Runs `trigger up --all --dry` in a new project beside a file that another hand keeps. */
async function looking(t: { after(end: () => Promise<void>): void }) {
  const folder = mkdtempSync(join(tmpdir(), "trigger-dry-"));
  const stop = new AbortController();
  let said = "";
  const terminal = { folder, colour: false, signal: stop.signal, out: (text: string) => (said += text), err: () => {} };
  await init.run({ operands: [], text: () => undefined, flag: () => false }, terminal);
  mkdirSync(join(folder, "out"));
  writeFileSync(join(folder, "out/hosts"), "192.0.2.10 printer\n");
  const running = main(["up", "--all", "--dry"], terminal);
  t.after(async () => {
    stop.abort();
    assert.equal(await running, 0);
    rmSync(folder, { recursive: true });
  });
  return { folder, said: () => said };
}

test("up --dry shows the difference to what is in force, follows the directory, and writes nothing there", async (t) => {
  const { folder, said } = await looking(t);
  await until(() => said().includes("box: hosts would change:"));
  assert.match(said(), /^\+2001:db8::2 laptop$/m);
  const ldif = join(folder, "directory.ldif");
  writeFileSync(ldif, readFileSync(ldif, "utf8").replace("2001:db8::2", "2001:db8::77"));
  await until(() => said().includes("+2001:db8::77 laptop"));
  assert.equal(readFileSync(join(folder, "out/hosts"), "utf8"), "192.0.2.10 printer\n");
  assert.deepEqual(readdirSync(join(folder, "out")), ["hosts"]);
});

test("up --dry says that nothing would change once the other hand has come to the same", async (t) => {
  const { folder, said } = await looking(t);
  await until(() => said().includes("box: hosts would change:"));
  writeFileSync(join(folder, "out/hosts"), "2001:db8::2 laptop\n192.0.2.11 printer\n");
  const ldif = join(folder, "directory.ldif");
  writeFileSync(ldif, readFileSync(ldif, "utf8").replace("192.0.2.10", "192.0.2.11"));
  await until(() => said().includes("box: hosts would change nothing"));
});
