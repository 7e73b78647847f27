import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
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
