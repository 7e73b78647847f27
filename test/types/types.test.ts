import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

/** A compiler error, or a mark in a file of mistakes that one is expected at. */
interface Finding {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

const here = import.meta.dirname;
const tsc = join(here, "../../node_modules/.bin/tsc");
const errors = compilerErrors();

test("every deliberate mistake in a service gives its error at the right place", () => {
  const marks = readdirSync(join(here, "mistakes")).flatMap((name) => marksOf(`mistakes/${name}`));
  assert.ok(marks.length > 20, `only ${marks.length} mistakes are marked`);
  for (const { file, line, text } of marks) {
    const said = errors.filter((error) => error.file === file && error.line === line);
    assert.ok(
      said.some((error) => error.text.includes(text)),
      `${file}:${line}: expected an error with ${text}, tsc says: ${said.map((error) => error.text).join("\n") || "nothing"}`,
    );
  }
});

test("the right uses compile, and each mistake gives one error at its place", () => {
  const marks = readdirSync(join(here, "mistakes")).flatMap((name) => marksOf(`mistakes/${name}`));
  const marked = new Set(marks.map(({ file, line }) => `${file}:${line}`));
  const others = errors.filter(({ file, line }) => !marked.has(`${file}:${line}`));
  assert.deepEqual(others, []);
});

/** `code // @expect text` marks its own line, `// @expect-next text` the one below. */
function marksOf(file: string): Finding[] {
  const lines = readFileSync(join(here, file), "utf8").split("\n");
  return lines.flatMap((content, index) => {
    const [, next, text] = /\/\/ @expect(-next)? (.*)$/.exec(content) ?? [];
    return text === undefined ? [] : [{ file, line: index + (next ? 2 : 1), text }];
  });
}

function compilerErrors(): Finding[] {
  let output = "";
  try {
    execFileSync(tsc, ["-p", here, "--pretty", "false"], { cwd: here, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    output = (error as { stdout: string }).stdout;
    assert.ok(output, `tsc could not be run: ${error}`);
  }
  const findings: { file: string; line: number; text: string }[] = [];
  for (const line of output.split("\n")) {
    const [, file, number, text] = /^(.+?)\((\d+),\d+\): error (.*)$/.exec(line) ?? [];
    if (file && text) findings.push({ file, line: Number(number), text });
    // An indented line explains the error above it.
    else if (line.startsWith(" ")) findings.at(-1)!.text += `\n${line}`;
  }
  return findings;
}
