import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { until } from "../until.ts";
import { announced, demo, holdsTheDay, isAlive, pids } from "./demo.fixture.ts";

holdsTheDay({ live: true });

describe("the demo's daemons", () => {
  for (const signal of ["SIGINT", "SIGKILL"] as const) {
    test(`end with the demo at ${signal}`, async (t) => {
      const folder = mkdtempSync(join(tmpdir(), "trigger-demo-"));
      t.after(() => rmSync(folder, { recursive: true, force: true }));
      const child = spawn(process.execPath, [demo, "--in", folder], { stdio: ["ignore", "pipe", "inherit"] });
      t.after(() => child.kill("SIGKILL"));
      const closed = once(child, "close");
      let said = "";
      child.stdout.setEncoding("utf8").on("data", (text) => (said += text));
      await until(() => /Starting dhcp1/.test(said), { within: 60_000 });
      const running = pids(folder);
      assert.equal(running.length, 3, said);
      assert.ok(running.every(isAlive));
      assert.deepEqual(announced(folder), ["kea.json", "named.json"]);
      child.kill(signal);
      await closed;
      if (signal === "SIGINT") assert.equal(child.exitCode, 130);
      await until(() => !running.some(isAlive) && announced(folder).length === 0, { within: 10_000 });
    });
  }

  test("that do not start are reported with their last line, and files are written", async (t) => {
    const [folder, bin] = [mkdtempSync(join(tmpdir(), "trigger-demo-")), mkdtempSync(join(tmpdir(), "trigger-bin-"))];
    t.after(() => {
      for (const made of [folder, bin]) rmSync(made, { recursive: true, force: true });
    });
    symlinkSync("/bin/rm", join(bin, "rm"));
    const broken = "#!/bin/sh\necho 'named.conf: permission denied'\nexit 1\n";
    for (const name of ["named", "dig", "nsupdate"]) writeFileSync(join(bin, name), broken, { mode: 0o755 });
    const child = spawn(process.execPath, [demo, "--in", folder], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, PATH: bin },
    });
    t.after(() => child.kill("SIGKILL"));
    const closed = once(child, "close");
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (said += text));
    await until(() => /Starting dhcp1/.test(said), { within: 60_000 });
    assert.match(said, /named +ns1 writes zone files \(it is here and does not start: named.conf: permission denied/);
    assert.deepEqual(announced(folder), []);
    child.kill("SIGINT");
    await closed;
  });
});
