import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { copiesOf, inCopyFolder, removeLeftCopies } from "./copies.ts";

function newState(t: TestContext): string {
  const state = mkdtempSync(join(tmpdir(), "trigger-copies-"));
  t.after(() => rmSync(state, { recursive: true, force: true }));
  return state;
}

/** A process that has a copy and does not end by itself. */
async function processWithCopy(t: TestContext, state: string) {
  const module = JSON.stringify(new URL("./copies.ts", import.meta.url).href);
  const program = `
    import { writeFileSync } from "node:fs";
    const { inCopyFolder } = await import(${module});
    await inCopyFolder(${JSON.stringify(state)}, "box", async (folder) => {
      writeFileSync(folder + "/store.db", "secret");
      console.log(folder);
      await new Promise((resolve) => setInterval(resolve, 1_000_000));
    });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => void child.kill("SIGKILL"));
  const [said] = await once(child.stdout, "data");
  return {
    folder: String(said).trim(),
    async kill() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

test("a killed process's copy is removed, a copy in use stays", async (t) => {
  const state = newState(t);
  const killed = await processWithCopy(t, state);
  const living = await processWithCopy(t, state);
  await killed.kill();
  assert.equal(readFileSync(join(killed.folder, "store.db"), "utf8"), "secret", "no process has removed it");
  removeLeftCopies(state, "box");
  assert.ok(!existsSync(killed.folder));
  assert.equal(readFileSync(join(living.folder, "store.db"), "utf8"), "secret");
  await living.kill();
  await inCopyFolder(state, "box", async () => assert.ok(!existsSync(living.folder), "the next copy clears away, too"));
  assert.deepEqual(readdirSync(copiesOf(state, "box")), []);
});

test("only its owner may read a copy, and the process's other copies stay", async (t) => {
  const state = newState(t);
  const before = process.umask(0);
  t.after(() => void process.umask(before));
  await inCopyFolder(state, "box", async (folder) => {
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.equal(statSync(copiesOf(state, "box")).mode & 0o777, 0o700);
    writeFileSync(join(folder, "store.db"), "");
    await inCopyFolder(state, "box", async () => {});
    assert.ok(existsSync(join(folder, "store.db")));
  });
});
