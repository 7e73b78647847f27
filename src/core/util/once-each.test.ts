import assert from "node:assert/strict";
import { test } from "node:test";
import { onceEach } from "./once-each.ts";

function scene() {
  const said: string[] = [];
  let now = 5;
  const say = onceEach(
    (line) => said.push(line),
    () => now,
  );
  const advance = (by: number): void => {
    now += by;
  };
  return { said, say, advance };
}

test("a hundred different lines are logged an hour, then that there are more", () => {
  const { said, say, advance } = scene();
  for (let times = 0; times < 2; times++) for (let line = 0; line < 1_000; line++) say("box", `line ${line}`);
  assert.equal(said.length, 101);
  assert.deepEqual([said[0], said[99]], ["line 0", "line 99"]);
  assert.equal(
    said[100],
    "more than 100 different lines of this kind about box: more of them are suppressed for an hour",
  );
  advance(60 * 60_000);
  say("box", "line 0");
  say("box", "line 0");
  assert.deepEqual(said.slice(101), ["line 0"]);
});

test("a source with many lines takes no quota from another", () => {
  const { said, say } = scene();
  for (let line = 0; line < 1_000; line++) for (const source of ["liar", undefined]) say(source, `${source} ${line}`);
  say("box", "a line about box");
  assert.equal(said.at(-1), "a line about box");
  assert.equal(said.length, 203);
});

test("sources beyond a thousand share the quota of unnamed ones for an hour", () => {
  const { said, say, advance } = scene();
  for (let source = 0; source < 10_000; source++) say(`host ${source}`, `${source}`);
  assert.equal(said.length, 1_101);
  say("host 3", "known before");
  assert.equal(said.at(-1), "known before");
  advance(60 * 60_000);
  say("host 9999", "a new hour");
  assert.equal(said.at(-1), "a new hour");
});
