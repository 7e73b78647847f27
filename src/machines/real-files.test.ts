import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { realFiles } from "./real-files.ts";

const skip = process.getuid?.() === 0 ? false : "only root gives files away";

test("a file for another owner keeps the special bits of its mode", { skip }, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "trigger-files-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "helper");
  await realFiles.write(path, "text", { uid: 61_003, gid: 61_003, mode: 0o4755 });
  assert.equal(statSync(path).mode & 0o7777, 0o4755);
});

test("a file that became a FIFO or huge while opened is not read", async (t) => {
  const top = mkdtempSync(join(tmpdir(), "trigger-files-"));
  t.after(() => rmSync(top, { recursive: true, force: true }));
  const path = join(top, "file");
  const { open } = promises;
  t.after(() => {
    promises.open = open;
    syncBuiltinESMExports();
  });
  for (const swap of [
    () => {
      rmSync(path);
      execFileSync("mkfifo", [path]);
    },
    () => truncateSync(path, 3 * 2 ** 30),
  ]) {
    rmSync(path, { force: true });
    writeFileSync(path, "text");
    promises.open = async (...given: Parameters<typeof open>) => {
      if (String(given[0]).endsWith("/file")) swap();
      return open(...given);
    };
    syncBuiltinESMExports();
    await assert.rejects(async () => realFiles.read(path), /was replaced while it was read/);
  }
});
