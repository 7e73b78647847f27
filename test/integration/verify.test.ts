import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { makeProject } from "../project.ts";
import { until } from "../until.ts";

test("verify finds a row that is wrong on a host's disk, and what was wrong is repaired", async (t) => {
  const project = makeProject(t);
  project.spawn(["up", "--all"]);
  await until(() => project.read("out/box/names")?.includes("printer 192.0.2.10"), { within: 20_000 });
  const good = project.read("out/box/names");
  const store = new DatabaseSync(project.path(".trigger/box/store.db"), { timeout: 5000 });
  store.exec("UPDATE row SET desired = replace(desired, '192.0.2.10', '192.0.2.66')");
  store.close();
  const { code, out, err } = await project.trigger(["verify"]);
  assert.equal(code, 0, out + err);
  assert.match(out, /^box names: equal, 2 rows/m);
  await until(() => project.read("out/box/names") === good);
});
