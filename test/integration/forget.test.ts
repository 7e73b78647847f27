import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { makeProject, type TestProject } from "../project.ts";
import { until } from "../until.ts";

const within = 60_000;
const before = { box: ["names", "note"], old: ["names"], civet: ["event"] };

const config = (hosts: object): string => `import { defineConfig } from "trigger";
export default defineConfig({ directory: { ldif: "directory.ldif" }, hosts: ${JSON.stringify(hosts)} });\n`;

/** In a process of its own: a config that was changed is read once in a process. */
const run = (project: TestProject, ...words: string[]) => project.spawn(words).ended;

test("forgetting a host removes its queues, report and store, but not its files", async (t) => {
  const project = makeProject(t, { hosts: before });
  const up = project.spawn(["up", "--all"]);
  await until(() => project.read("out/old/names")?.includes("laptop") && project.read("out/box/names") !== undefined, {
    within,
  });
  const early = await run(project, "forget", "old");
  assert.match(early.err, /old is still in .*trigger\.config\.ts/);
  assert.notEqual(early.code, 0);
  project.write("trigger.config.ts", config({ box: ["names"], civet: ["event"] }));
  const [host, service] = await Promise.all([run(project, "forget", "old"), run(project, "forget", "box", "note")]);
  assert.match(host.err, /old is up on this machine/);
  assert.match(service.err, /queue trigger-box-note has a consumer/);
  await up.end("SIGTERM");

  const again = project.spawn(["up", "--all"]);
  await until(() => again.said().includes("note is left behind"), { within });
  // As migrations and a downgrade leave them.
  for (const name of ["store.db.version-1", "store.db.version-1.new", "store.db.from-version-2", "owned.db.version-1"])
    project.write(`.trigger/old/${name}`, "");
  const forgotten = await run(project, "forget", "old");
  assert.equal(forgotten.code, 0, forgotten.err);
  assert.match(forgotten.out, /removed the queue trigger-old-names/);
  assert.match(forgotten.out, /civet forgot its report/);
  assert.match(forgotten.out, /the store forgot names: 2 applied rows/);
  assert.match(forgotten.out, /the file .*out\/old\/names stays as it is/);
  assert.equal(existsSync(project.path(".trigger/old")), false);
  assert.match(project.read("out/old/names") ?? "", /laptop/);
  const marks = readdirSync(project.path("out/old/.trigger")).filter((name) => name.endsWith(".mine"));
  assert.deepEqual(marks, [], "the file is no longer trigger's");
  const note = await run(project, "forget", "box", "note");
  assert.match(note.out, /removed the queue trigger-box-note\n.*the store forgot note/s);
  for (const words of [["old"], ["box", "note"]]) {
    const second = await run(project, "forget", ...words);
    assert.deepEqual([second.code, /^nothing of .* is left/m.test(second.out)], [0, true], second.out + second.err);
  }
  const kept = await run(project, "forget", "box", "names");
  assert.match(kept.err, /still gives names to box/);
  assert.equal((await run(project, "verify")).code, 0, "what goes on is not disturbed");
});

test("an invalid name is refused before it becomes a path", async (t) => {
  const project = makeProject(t);
  for (const words of [["../box"], ["old", "../names"]]) {
    const { code, err } = await project.trigger(["forget", ...words]);
    assert.notEqual(code, 0);
    assert.match(err, /a (host|service) name has only/);
  }
});
