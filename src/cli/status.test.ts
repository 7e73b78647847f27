import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { storeFile } from "../daemon/store-file.ts";
import { openDatabase } from "../sqlite/open.ts";
import { main } from "./main.ts";

/** As a user who is not root: root may read whatever the mode says. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

test("a state that this user may not read is said with who may, and is not taken for one that is not there", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "trigger-status-"));
  t.after(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o755);
  const config = { directory: { ldif: "directory.ldif" }, state: "state", hosts: { box: ["event"] } };
  writeFileSync(join(folder, "trigger.config.ts"), `export default ${JSON.stringify(config)};\n`);
  const store = storeFile(join(folder, "state"), "box");
  openDatabase(store).close();
  for (const open of [dirname(dirname(store)), dirname(store)]) chmodSync(open, 0o755);

  for (const closed of [store, dirname(store)]) {
    chmodSync(closed, 0);
    let said = "";
    const write = (text: string): void => {
      said += text;
    };
    const terminal = { folder, colour: false, signal: t.signal, out: write, err: write };
    const code = await asNobody(() => main(["status"], terminal));
    chmodSync(closed, 0o755);
    assert.equal(code, 2, said);
    const who = "cannot be read by this user, only by root or the user that trigger runs as";
    assert.ok(said.startsWith(`trigger status: ${store}: ${who}: `), said);
    assert.equal(said.split("\n").length, 2, said);
  }
});
