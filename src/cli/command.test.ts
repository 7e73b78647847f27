import assert from "node:assert/strict";
import { test } from "node:test";
import { type Command, helpOf, readWords, usageOf } from "./command.ts";

const command: Command = {
  name: "ask",
  summary: "ask a host",
  operands: ["SERVICE", "[HOST]"],
  options: {
    json: { type: "boolean", help: "as JSON" },
    project: { type: "string", short: "p", value: "FOLDER", help: "the folder" },
  },
  run: async () => 0,
};
const read = (...words: string[]) => readWords(command, words);
const wrong = (...words: string[]) => {
  try {
    read(...words);
  } catch (error) {
    assert.equal((error as Error).name, "UserError");
    return (error as Error).message;
  }
  return assert.fail("it is understood");
};

test("operands and options are read in any order, long and short", () => {
  const { operands, text, flag } = read("-p", "/etc/trigger", "dhcp", "--json", "dhcp1");
  assert.deepEqual(operands, ["dhcp", "dhcp1"]);
  assert.equal(text("project"), "/etc/trigger");
  assert.equal(flag("json"), true);
  assert.equal(flag("help"), false);
  assert.equal(read("dhcp").text("project"), undefined);
});

test("only an operand in brackets may be left out, and more is too many", () => {
  const usage = "trigger ask SERVICE [HOST] [options]";
  assert.equal(usageOf(command), usage);
  assert.equal(wrong(), `an operand is missing: ${usage}`);
  assert.equal(wrong("a", "b", "c"), `too many operands: ${usage}`);
});

test("an unknown option is named with the known ones and the nearest", () => {
  assert.equal(
    wrong("dhcp", "--jsno"),
    'unknown option of trigger ask "--jsno" (known: --help, --json, --project); did you mean "--json"?',
  );
  assert.match(wrong("dhcp", "-x"), /^unknown option of trigger ask "-x"/);
});

test("an option with a missing or needless value is answered by the usage", () => {
  assert.match(wrong("dhcp", "--project"), /^Option '-p, --project <value>' argument missing: trigger ask /);
  assert.match(wrong("dhcp", "--json=yes"), /^Option '--json' does not take an argument: trigger ask /);
  assert.match(wrong("dhcp", "--project", "--json"), /^Option '--project' argument is ambiguous.*: trigger ask /);
});

test("any word behind -- is an operand", () => {
  assert.deepEqual(read("dhcp", "--", "-1").operands, ["dhcp", "-1"]);
});

test("help needs no operand, and names every option", () => {
  assert.equal(read("--help").flag("help"), true);
  assert.match(helpOf(command), /^trigger ask SERVICE \[HOST\] \[options\]\n\nask a host\.\n\nOptions\n/);
  assert.match(helpOf(command), /^ {2}-p, --project FOLDER {7}the folder$/m);
});
