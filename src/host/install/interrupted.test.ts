import assert from "node:assert/strict";
import { test } from "node:test";
import { other, path } from "../../../test/fixtures/install.ts";
import { mortalScene } from "../../../test/fixtures/mortal.ts";
import { Later } from "../../core/util/errors.ts";

// The state that a process finds after another died in the middle of an install.

const theReload = /^run reloadd/;
const theRename = /^rename .*\.staged\./;
const theWayBack = /^rename .*\.good\./;

test("no rollback leads to a first text that was never probed", async () => {
  const { install, killedBefore, text, clock } = mortalScene();
  await killedBefore(theReload, () => install("first"));
  assert.equal(text(), "first");
  clock.advance(5000);
  await assert.rejects(install("broken"), Later);
  assert.equal(text(), undefined);
});

test("a text not yet replaced is no hand edit", async () => {
  const { install, killedBefore, said, status, text } = mortalScene();
  await install("good");
  for (const next of ["one", "two", "three"]) await killedBefore(theRename, () => install(next));
  assert.equal(text(), "good");
  await install("four");
  assert.deepEqual(status().edits, []);
  assert.doesNotMatch(said.join("\n"), /another program/);
});

test("one reload settles all files that were installed together", async () => {
  const { install, installAll, killedBefore, status } = mortalScene();
  await killedBefore(theReload, () => installAll({ path, text: "one" }, { path: other, text: "two" }));
  assert.deepEqual(
    status().pending.map((pending) => pending.path),
    [path, other],
  );
  await install("one");
  assert.deepEqual(status().pending, []);
});

test("a required reload keeps the last good text of an interrupted install", async () => {
  const { install, killedBefore, owe, text, clock } = mortalScene();
  await install("good");
  await killedBefore(theReload, () => install("unproved"));
  owe();
  clock.advance(5000);
  await assert.rejects(install("broken"), /is restored/);
  assert.equal(text(), "good");
});

test("the next process does not repeat a failed reload at once", async () => {
  const { install, killedBefore, daemon, clock, text } = mortalScene();
  await install("good");
  await killedBefore(theWayBack, () => install("broken"));
  const { reloads } = daemon;
  await assert.rejects(install("broken"), Later);
  assert.equal(daemon.reloads, reloads);
  clock.advance(5000);
  await assert.rejects(install("broken"), /is restored/);
  assert.equal(text(), "good");
});

test("a found text is durable before its replacement, so a rollback finds it", async () => {
  const { install, killedBefore, machine, text, clock } = mortalScene();
  await machine.files.makeDirectory("/etc/demo");
  await machine.files.write(path, "theirs");
  await killedBefore(theReload, () => install("ours"));
  machine.powerCut();
  clock.advance(5000);
  await assert.rejects(install("broken"), /is restored/);
  assert.equal(text(), "theirs");
});
