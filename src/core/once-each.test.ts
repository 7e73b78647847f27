import assert from "node:assert/strict";
import { test } from "node:test";
import { onceEach } from "./once-each.ts";

test("a hundred lines are said in an hour, each once, and that there are more", () => {
  let now = 5;
  const said: string[] = [];
  const say = onceEach(
    (line) => said.push(line),
    () => now,
  );
  for (let times = 0; times < 2; times++) for (let line = 0; line < 1_000; line++) say(`line ${line}`);
  assert.equal(said.length, 101);
  assert.deepEqual([said[0], said[99]], ["line 0", "line 99"]);
  assert.match(said[100] ?? "", /more than 100 different lines/);
  now += 60 * 60_000;
  say("line 0");
  say("line 0");
  assert.deepEqual(said.slice(101), ["line 0"]);
});
