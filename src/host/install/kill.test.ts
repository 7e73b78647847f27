import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { daemonSteps, realHost, textOf } from "../../../test/fixtures/install-forever.ts";
import { installStatus } from "../../../test/fixtures/install-status.ts";
import { openDatabase } from "../../sqlite/open.ts";

const program = join(import.meta.dirname, "../../../test/fixtures/install-forever.ts");

test("on a real machine a kill at any moment leaves a whole file", async () => {
  const directory = await mkdtemp(join(tmpdir(), "trigger-kill-"));
  try {
    for (let round = 0; round < 5; round++) {
      const from = round * 1000;
      const child = spawn(process.execPath, [program, directory, `${from}`], { stdio: ["ignore", "pipe", "inherit"] });
      await once(child.stdout, "data");
      // The moment is random here: anywhere in the installs after the first.
      const moment = Math.random() * 40;
      setTimeout(() => child.kill("SIGKILL"), moment);
      await once(child, "exit");

      const left = await readFile(join(directory, "demo.conf"), "utf8");
      const version = Number(left.match(/^version (\d+)/)?.[1]);
      assert.equal(left, textOf(version), `killed after ${moment} ms: the file in place is whole`);

      const { host, close } = realHost(directory);
      const wanted = from + 999;
      await host.install({ path: join(directory, "demo.conf"), text: textOf(wanted) }, daemonSteps(directory));
      close();
      assert.equal(await readFile(join(directory, "demo.conf"), "utf8"), textOf(wanted));
      assert.equal(await readFile(join(directory, "running"), "utf8"), textOf(wanted));
      const database = openDatabase(join(directory, "state", "host.db"), { readOnly: true });
      assert.deepEqual(installStatus(database).pending, []);
      database.close();
      const kept = await readdir(join(directory, ".trigger"));
      assert.deepEqual(
        kept.filter((name) => name.includes(".staged.")),
        [],
      );
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});
