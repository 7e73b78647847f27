import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { realFiles as files } from "./real-files.ts";

const skip = process.getuid?.() === 0 ? false : "only root can give folders to another user";
const other = 61_001;
const refused =
  /is a symlink \(uid \d+\) in .* \(uid \d+, gid \d+, mode \d+\), where others than root or uid 0 may put one: it is not followed/;

test("a folder that is swapped for a symlink meanwhile leads nowhere else", { skip, timeout: 60_000 }, async (t) => {
  const top = mkdtempSync(join(tmpdir(), "trigger-walk-"));
  chmodSync(top, 0o755);
  t.after(() => rmSync(top, { recursive: true, force: true }));
  const path = (...names: string[]): string => join(top, ...names);
  mkdirSync(path("secret"), { mode: 0o700 });
  writeFileSync(path("secret", "shadow"), "root's password");
  mkdirSync(path("theirs", "inner"), { recursive: true });
  for (const name of ["theirs", "theirs/inner"]) chownSync(path(name), other, other);
  // A program of one process: each turn of a shell would start four others.
  const script = `
    chdir shift;
    $| = 1;
    print "ready";
    while (1) {
      rename "inner", "aside"; symlink "../secret", "inner"; select undef, undef, undef, 0.0001;
      unlink "inner"; rename "aside", "inner"; select undef, undef, undef, 0.0002;
    }`;
  const child = spawn("perl", ["-e", script, path("theirs")], {
    ...{ uid: other, gid: other },
    stdio: ["ignore", "pipe", "ignore"],
  });
  await once(child.stdout, "data");
  let [written, failed, links] = [0, 0, 0];
  try {
    for (let n = 0; n < 20_000 && (written < 300 || failed < 300 || links < 20); n++) {
      const name = path("theirs", "inner", `f${n}`);
      await files.write(name, "x").then(
        () => written++,
        (error: Error) => {
          failed++;
          if (refused.test(error.message)) links++;
        },
      );
    }
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  assert.ok(written > 0 && links > 0, `${written} written, ${failed} failed, ${links} as a link: nothing was swapped`);
  assert.deepEqual(readdirSync(path("secret")), ["shadow"]);
});
