import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { makeProject } from "../project.ts";
import { until } from "../until.ts";

test("a directory that is a named pipe is refused with what to do, and nothing waits for it", async (t) => {
  const project = makeProject(t);
  rmSync(project.path("directory.ldif"));
  execFileSync("mkfifo", [project.path("directory.ldif")]);
  const tried = project.spawn(["try", "names"]);
  await until(tried.over, { within: 60_000 });
  const { code, err } = await tried.ended;
  assert.equal(code, 2);
  assert.match(err, /^trigger try: .*directory\.ldif is a named pipe, and is not read: put a regular file, /);
});
