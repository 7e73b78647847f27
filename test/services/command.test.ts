import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { z } from "zod";
import { UserName } from "../../src/core/service/columns.ts";
import { Fatal, reason } from "../../src/core/util/errors.ts";
import { command } from "../../src/services/command.ts";
import { conform } from "./conform.ts";
import { hostOn, quietMachine, rowsOf, scene, tableOf } from "./scene.ts";

const doors = command({
  row: z.object({ name: UserName, room: z.string() }),
  unique: ["name"],
  select: (member) => (member.is("person") ? { name: member.one("uid"), room: member.one("roomNumber") } : undefined),
  command: ["/usr/local/sbin/doors", "--all"],
});
const alice = { name: "alice", room: 'B"204\n' };

conform("command", doors, [alice]);

test("the executable gets the rows and the changes as one JSON document", async () => {
  const { machine, run } = scene(doors, { name: "door1" });
  const given: unknown[] = [];
  machine.program("/usr/local/sbin/doors", ({ arguments: words, input = "" }) => {
    given.push([...words], JSON.parse(input));
  });
  await run({ k1: alice }, { whole: true });
  await run({ k2: alice }, { interrupted: true });
  assert.deepEqual(given, [
    ["--all"],
    { host: "door1", interrupted: false, rows: [["k1", alice]], changes: null },
    ["--all"],
    {
      host: "door1",
      interrupted: true,
      rows: [["k2", alice]],
      changes: [
        { key: "k1", before: alice, after: null },
        { key: "k2", before: null, after: alice },
      ],
    },
  ]);
});

test("a row that is printed as refused is refused; other output is ignored", async () => {
  const { machine, run } = scene(doors);
  const refused = [{ key: "k1", why: "no such room" }];
  machine.program("/usr/local/sbin/doors", () => ({ stdout: `${JSON.stringify({ refused })}\n` }));
  assert.deepEqual(await run({ k1: alice }), { refused });
  for (const stdout of ["", "done: 1 door\n"]) {
    machine.program("/usr/local/sbin/doors", () => ({ stdout }));
    assert.equal(await run({ k1: alice }), undefined);
  }
});

test("an answer that cannot be read fails the run, despite exit code 0", async () => {
  const { machine, run } = scene(doors);
  for (const stdout of ["{", '{"refuse": []}', '{"refused": [{"key": "k1"}]}']) {
    machine.program("/usr/local/sbin/doors", () => ({ stdout }));
    await assert.rejects(run({ k1: alice }), /doors exited 0, but what it printed is not \{"refused"/);
  }
});

test("exit 78 waits for a person, any other code is retried", async () => {
  const { machine, run } = scene(doors);
  for (const [code, fatal] of [
    [78, true],
    [75, false],
    [1, false],
  ] as const) {
    machine.program("/usr/local/sbin/doors", () => ({ code, stderr: "no bus" }));
    await assert.rejects(run({ k1: alice }), (error: Error) => {
      assert.equal(error instanceof Fatal, fatal);
      assert.match(error.message, new RegExp(`exited ${code}: no bus`));
      return true;
    });
  }
});

test("the observe command must print rows", async () => {
  const lister = command({
    row: z.object({ name: UserName }),
    unique: ["name"],
    select: () => undefined,
    command: ["doors"],
    observe: ["doors", "--list"],
  });
  const machine = quietMachine();
  machine.program("doors", () => ({ stdout: '[{"name":"alice"}]\n' }));
  assert.deepEqual([...((await tableOf(lister).observe?.(hostOn(machine))) ?? [])], [{ name: "alice" }]);
  machine.program("doors", () => ({ stdout: "alice\n" }));
  await assert.rejects(async () => tableOf(lister).observe?.(hostOn(machine)), /no JSON array of rows: alice/);
  assert.equal(tableOf(doors).observe, undefined);
});

test("no value of a secret column stands in a refusal or an error", async () => {
  const secret = 'hunter2 "x"';
  const codes = command({
    row: z.object({ name: UserName, code: z.string(), more: z.array(z.string()) }),
    unique: ["name"],
    secret: ["code", "more"],
    select: () => undefined,
    command: ["doors"],
    observe: ["doors", "--list"],
  });
  const { machine, run } = scene(codes);
  const row = { name: "alice", code: secret, more: ["swordfish"] };
  await run({ k1: row });
  const why = `the code ${secret} of alice is that of ${JSON.stringify({ code: secret })}, not swordfish`;
  machine.program("doors", () => ({ stdout: JSON.stringify({ refused: [{ key: "k1", why }] }) }));
  const masked = 'the code ******** of alice is that of {"code":"********"}, not ********';
  assert.deepEqual(await run({ k1: { ...row, more: ["other"] } }), { refused: [{ key: "k1", why: masked }] });
  assert.deepEqual(await run({ k2: { ...row, name: "bob" } }), { refused: [{ key: "k1", why: masked }] });
  for (const stdout of [`{${secret}`, JSON.stringify({ [secret]: [] }), JSON.stringify({ refused: secret })]) {
    machine.program("doors", () => ({ stdout }));
    await assert.rejects(run({ k1: row }), (error) => {
      assert.match(reason(error), /doors exited 0, but what it printed is not .* may hold secrets and is not shown/);
      assert.doesNotMatch(inspect(error), /hunter2/);
      return true;
    });
  }
  machine.program("doors", () => ({ stdout: secret }));
  const observed = async () => tableOf(codes).observe?.(hostOn(machine, { secret: true }));
  await assert.rejects(observed, (error) => !inspect(error).includes("hunter2"));
  machine.program("doors", () => ({ code: 78, stderr: secret }));
  const host = hostOn(machine, { secret: true });
  const failing = async () =>
    tableOf(codes).run({ rows: rowsOf(new Map()), changes: undefined, interrupted: false }, host);
  await assert.rejects(failing, (error) => error instanceof Fatal && !inspect(error).includes("hunter2"));
});
