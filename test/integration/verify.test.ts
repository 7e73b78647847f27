import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { runningProject } from "../running-project.ts";
import { until } from "../until.ts";

test("verify finds a row that is wrong on a host's disk, and what was wrong is repaired", async () => {
  await using project = await runningProject();
  const file = join(project.folder, "out/hosts");
  const hosts = (): string => {
    try {
      return readFileSync(file, "utf8");
    } catch {
      return ""; // not made yet
    }
  };
  await until(() => hosts().includes("192.0.2.10 printer"));
  const good = hosts();
  const store = new DatabaseSync(join(project.folder, ".trigger/box/store.db"), { timeout: 5000 });
  store.exec("UPDATE row SET desired = replace(desired, '192.0.2.10', '192.0.2.66')");
  store.close();
  const { code, out } = await project.run("verify");
  assert.equal(code, 0, out);
  assert.match(out, /^box hosts: equal, 2 rows/m);
  await until(() => hosts() === good);
});
