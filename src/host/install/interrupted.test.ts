import assert from "node:assert/strict";
import { test } from "node:test";
import { other, path } from "../../../test/fixtures/install.ts";
import { mortalScene } from "../../../test/fixtures/mortal.ts";
import { Later } from "../../core/util/errors.ts";

// What a process finds that starts after another died in the middle of an install.

const theReload = /^run reloadd/;
const theRename = /^rename .*\.staged\./;
const theWayBack = /^rename .*\.good\./;

test("a first text that nobody proved is not gone back to", async () => {
  const { install, killedBefore, text, clock } = mortalScene();
  await killedBefore(theReload, () => install("first"));
  assert.equal(text(), "first");
  clock.advance(5000);
  await assert.rejects(install("broken"), Later);
  assert.equal(text(), undefined);
});

test("a text that was not replaced yet is no hand edit", async () => {
  const { install, killedBefore, said, status, text } = mortalScene();
  await install("good");
  for (const next of ["one", "two", "three"]) await killedBefore(theRename, () => install(next));
  assert.equal(text(), "good");
  await install("four");
  assert.deepEqual(status().fights, []);
  assert.doesNotMatch(said.join("\n"), /somebody else/);
});

test("files that were installed together owe nothing once one of them is paid for", async () => {
  const { install, installAll, killedBefore, status } = mortalScene();
  await killedBefore(theReload, () => installAll({ path, text: "one" }, { path: other, text: "two" }));
  assert.deepEqual(
    status().owed.map((owed) => owed.path),
    [path, other],
  );
  await install("one");
  assert.deepEqual(status().owed, []);
});

test("a reload that is asked for keeps the last good text of an interrupted install", async () => {
  const { install, killedBefore, owe, text, clock } = mortalScene();
  await install("good");
  await killedBefore(theReload, () => install("unproved"));
  owe();
  clock.advance(5000);
  await assert.rejects(install("broken"), /is back in force/);
  assert.equal(text(), "good");
});

test("a reload that failed is not repeated at once by the next process", async () => {
  const { install, killedBefore, daemon, clock, text } = mortalScene();
  await install("good");
  await killedBefore(theWayBack, () => install("broken"));
  const { reloads } = daemon;
  await assert.rejects(install("broken"), Later);
  assert.equal(daemon.reloads, reloads);
  clock.advance(5000);
  await assert.rejects(install("broken"), /is back in force/);
  assert.equal(text(), "good");
});

test("a found text that nobody made durable is there to go back to after a power cut", async () => {
  const { install, killedBefore, machine, text, clock } = mortalScene();
  await machine.files.makeDirectory("/etc/demo");
  await machine.files.write(path, "theirs");
  await killedBefore(theReload, () => install("ours"));
  machine.powerCut();
  clock.advance(5000);
  await assert.rejects(install("broken"), /is back in force/);
  assert.equal(text(), "theirs");
});
