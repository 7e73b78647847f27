import assert from "node:assert/strict";
import { test } from "node:test";
import { newStore, other, path, standingClock } from "../../../test/fixtures/install.ts";
import { memoryMachine } from "../../testing/memory-machine.ts";
import { stage } from "./folder.ts";
import { handEdits } from "./hand-edit.ts";
import { hashOf } from "./in-place.ts";
import { listing } from "./kept.ts";
import { repair } from "./repair.ts";
import { replacement } from "./replace.ts";
import { readTargets, removalTarget } from "./target.ts";
import { textCheck } from "./text-check.ts";

/** Replaces files of a machine in memory, as the installer of one service does after the check. */
function scene(texts: Readonly<Record<string, string>>, onStep: (step: string) => void = () => {}) {
  const machine = memoryMachine({ files: texts, onStep: (step) => onStep(step) });
  const { files, kept } = machine;
  const { ledger, records } = newStore("demo");
  const clock = standingClock();
  const owned = records.owned(clock.now);
  owned.claim(Object.keys(texts));
  const log = (): void => {};
  const context = { ledger, files, kept, owned, isHeld: records.isHeld, clock, secret: false, restOf: () => 0, log };
  const mend = repair(context);
  const replace = replacement(context, { mend, edits: handEdits(context), records });
  const { stageAll } = textCheck(context, mend);
  const put = async (wanted: Readonly<Record<string, string>>, gone: readonly string[] = []): Promise<void> => {
    const { targets } = await readTargets(
      files,
      Object.entries(wanted).map(([path, text]) => ({ path, text })),
    );
    const inPlace = await readTargets(
      files,
      gone.map((path) => ({ path, text: "" })),
    );
    const all = [...targets, ...inPlace.targets.map(({ path, disk }) => removalTarget(path, disk))];
    const staging = stage(files, log);
    try {
      const staged = await stageAll(all, staging);
      await replace(staged, ledger.pending(all.map(({ path }) => path)), { staging, listed: listing(machine) });
    } finally {
      await staging.clear();
    }
  };
  /** The wanted text at a path, and the last good one, by the journal. */
  const journaled = (path: string) => {
    const [entry] = ledger.pending([path]).filter((one) => one.path === path);
    return entry && { to: entry.to, goodHash: entry.goodHash, good: entry.good && machine.text(entry.good) };
  };
  return { machine, records, owned, put, journaled };
}

const hash = (text: string): string => hashOf(Buffer.from(text));

test("a replaced file stays beside the new one as the last good one", async () => {
  const { machine, put, journaled } = scene({ [path]: "old" });
  await put({ [path]: "new" });
  assert.equal(machine.text(path), "new");
  assert.deepEqual(journaled(path), { to: hash("new"), goodHash: hash("old"), good: "old" });
});

test("a removed file is a last good one, a new file has none", async () => {
  const { machine, put, journaled } = scene({ [path]: "old" });
  await put({ [other]: "new" }, [path]);
  assert.deepEqual([machine.text(path), machine.text(other)], [undefined, "new"]);
  assert.deepEqual(journaled(path), { to: null, goodHash: hash("old"), good: "old" });
  assert.deepEqual(journaled(other), { to: hash("new"), goodHash: null, good: null });
});

test("every file is in the journal before the first one is replaced", async () => {
  const seen: unknown[] = [];
  const { put, journaled } = scene({ [path]: "old" }, (step) => {
    if (/^rename .*\.staged\./.test(step)) seen.push([journaled(path)?.to, journaled(other)?.to]);
  });
  await put({ [path]: "one", [other]: "two" });
  const both = [hash("one"), hash("two")];
  assert.deepEqual(seen, [both, both]);
});

test("a rename that fails takes the other files back as well", async () => {
  const { machine, put, journaled } = scene({ [path]: "old", [other]: "older" });
  machine.fail(new RegExp(`^rename .* ${other}$`), "EIO");
  await assert.rejects(put({ [path]: "new", [other]: "newer" }), /EIO/);
  assert.deepEqual([machine.text(path), machine.text(other)], ["old", "older"]);
  assert.deepEqual([journaled(path)?.to, journaled(other)?.to], [hash("old"), hash("older")]);
});

test("the last good file of an unfinished replacement outlives the next one", async () => {
  const { machine, put, journaled } = scene({ [path]: "old" });
  await put({ [path]: "unprobed" });
  await put({ [path]: "new" });
  assert.equal(machine.text(path), "new");
  assert.deepEqual(journaled(path), { to: hash("new"), goodHash: hash("old"), good: "old" });
  assert.equal((await machine.files.list("/etc/demo/.trigger")).filter((name) => name.includes(".good.")).length, 1);
});

test("a replacement survives a power cut after it", async () => {
  const { machine, put } = scene({ [path]: "old" });
  await put({ [path]: "new", [other]: "newer" });
  machine.powerCut();
  assert.deepEqual([machine.text(path), machine.text(other)], ["new", "newer"]);
});

test("a found file that is replaced belongs to the ledger alone", async () => {
  const { records, owned, put } = scene({ [path]: "old" });
  assert.ok(records.names().has(path));
  await put({ [path]: "new" });
  assert.deepEqual([...owned.names()], []);
});
