import assert from "node:assert/strict";
import { test } from "node:test";
import { directoryContract, entryOf } from "../../test/contracts/directory.ts";
import type { SourceChange } from "../ports/directory.ts";
import { memoryDirectory } from "./memory-directory.ts";

directoryContract("memory", async (entries, clock) => {
  const directory = memoryDirectory(entries, clock);
  return {
    source: directory,
    hold: async (content) => directory.replaceAll(content),
    break: async () => directory.trouble("the directory is away"),
    close: async () => {},
  };
});

test("a single change is delivered as its added and removed entries", async () => {
  const still = { now: () => 0, monotonic: () => 0, sleep: async () => {} };
  const directory = memoryDirectory([entryOf("a")], still);
  const stop = new AbortController();
  const seen: SourceChange[] = [];
  for await (const change of directory.changes(stop.signal)) {
    seen.push(change);
    if (seen.length === 1) directory.put(entryOf("b"));
    if (seen.length === 2) directory.remove("cn=a,dc=campus");
    if (seen.length === 3) directory.refresh();
    if (seen.length === 4) stop.abort();
  }
  const [, put, removed, whole] = seen;
  assert.deepEqual(put?.kind === "change" && put.put, [entryOf("b")]);
  assert.deepEqual(removed?.kind === "change" && removed.removed, ["cn=a,dc=campus"]);
  assert.deepEqual(whole?.kind === "refresh" && whole.entries, [entryOf("b")]);
  const states = seen.map((change) => (change.kind === "trouble" ? "" : (change.state[0] ?? "")));
  assert.deepEqual(states, [...states].sort(), "states grow though the clock stands still");
});
