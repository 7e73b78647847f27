import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { anyText } from "../../test/any-text.ts";
import { recordLines, screenOf } from "./screen.ts";

/** The text that a screen passes on to a terminal. */
function printed(colour: boolean, print: (screen: ReturnType<typeof screenOf>) => void): string {
  let said = "";
  const write = (text: string): void => {
    said += text;
  };
  print(screenOf({ folder: "/", colour, signal: new AbortController().signal, out: write, err: write }));
  return said;
}

test("a printed line is one line, without control sequences", () => {
  fc.assert(
    fc.property(anyText(), fc.boolean(), (text, colour) => {
      const said = printed(colour, ({ say, lines, json, warn, paint }) => {
        say(text);
        lines([text, paint("red", text)]);
        json([text]);
        warn(text);
      });
      assert.doesNotMatch(said.replaceAll(/\u001b\[(?:31|0)m|[\n\t]/g, ""), /[\p{C}\p{Default_Ignorable_Code_Point}]/u);
      assert.equal(said.split("\n").length, 8);
    }),
  );
});

test("only a command's own colours are printed, and only where colours are on", () => {
  const forged = "\u001b[32mwell\u001b[0m";
  assert.equal(
    printed(true, ({ say, paint }) => say(`${paint("red", "no")} ${forged}`)),
    "\u001b[31mno\u001b[0m \\u001b[32mwell\\u001b[0m\n",
  );
  assert.equal(
    printed(false, ({ say, paint }) => say(paint("red", "no"))),
    "no\n",
  );
});

test("a record of several lines is indented from the second on", () => {
  assert.deepEqual(recordLines("one\nforged: two\n"), ["one", "  forged: two"]);
});
