import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { hostScene, row } from "../../../test/fixtures/host.ts";
import { until } from "../../../test/until.ts";
import { type Service, service } from "../../core/service/service.ts";
import { memoryMachine } from "../../testing/memory-machine.ts";

test("files removed without their rows count within the hour, as rows do", async () => {
  const machine = memoryMachine();
  let kept = ["a", "b", "c", "d", "e"];
  const definition = service({
    row: z.object({ name: z.string(), ip: z.string() }),
    unique: ["ip"],
    select: () => undefined,
    async run({ rows }, host) {
      const ends = [...rows].flatMap(({ name }) => kept.map((end) => `/etc/demo/${name}.${end}`));
      const files = ends.map((path) => ({ path, text: "x" }));
      await host.install(files, { all: true });
    },
  }) as unknown as Service;
  const { say, up, facts, clock, end } = hostScene(definition, { machine, removalLimit: () => 3 });
  const there = async () => (await machine.files.list("/etc/demo")).filter((name) => name !== ".trigger").length;
  await say([["m", row("m", "10.0.0.1")]]);
  const host = up();
  await until(async () => (await there()) === 5);
  const run = async (ip: string): Promise<void> => {
    await clock.advance(2000);
    await say([["m", row("m", ip)]]);
    await clock.advance(2000);
  };
  kept = ["a", "b", "c"];
  await run("10.0.0.2");
  await until(async () => (await there()) === 3);
  kept = ["a"];
  await run("10.0.0.3");
  await until(() => facts()?.held);
  assert.match(
    facts()?.held?.detail ?? "",
    /^2 files that are not wanted any more would be removed, at most 1 without approval$/,
  );
  await clock.advance(2 * 60 * 60_000);
  await run("10.0.0.4");
  assert.equal(await there(), 3, "an hour ends no question");
  await host.down();
  end();
});

test("files of removed rows are removed unasked, and no others with them", async () => {
  const machine = memoryMachine();
  let kept = (_file: string): boolean => true;
  const definition = service({
    row: z.object({ name: z.string(), ip: z.string() }),
    unique: ["ip"],
    select: () => undefined,
    async run({ rows }, host) {
      const files = [...rows].flatMap(({ name }) => ["a", "b", "c"].map((end) => `/etc/demo/${name}.${end}`));
      const all = { all: true };
      await host.install(
        files.filter((file) => kept(file)).map((path) => ({ path, text: "x" })),
        all,
      );
    },
  }) as unknown as Service;
  const { say, up, facts, clock, end } = hostScene(definition, { machine, removalLimit: () => 2 });
  const names = ["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9"];
  const there = async () => (await machine.files.list("/etc/demo")).filter((name) => name !== ".trigger").length;
  const stand = async (files: number) => {
    await clock.advance(2000);
    await until(async () => (await there()) === files);
  };
  await say(names.map((name, i) => [name, row(name, `10.0.0.${i}`)]));
  const host = up();
  await stand(30);
  await say([["m9", null]]);
  await stand(27);
  // Another row is removed, and the service wants one of the other files no longer.
  kept = (file) => file.endsWith("m0.a");
  await say([["m8", null]]);
  await clock.advance(2000);
  await until(() => facts()?.held);
  assert.match(
    facts()?.held?.detail ?? "",
    /^26 files that are not wanted any more would be removed, at most 3 without approval$/,
  );
  assert.equal(await there(), 27);
  await host.down();
  end();
});

test("a file that cannot be removed is reported, and other rows are applied", async () => {
  const machine = memoryMachine();
  const definition = service({
    row: z.object({ name: z.string(), ip: z.string() }),
    unique: ["ip"],
    select: () => undefined,
    async run({ rows }, host) {
      const files = [...rows].map(({ name, ip }) => ({ path: `/etc/demo/${name}`, text: ip }));
      await host.install(files, { all: true });
    },
  }) as unknown as Service;
  const { say, up, facts, report, clock, end } = hostScene(definition, { machine });
  await say(["m", "n", "o"].map((name, i) => [name, row(name, `10.0.0.${i}`)]));
  const host = up();
  await until(() => machine.text("/etc/demo/n") !== undefined);
  await until(() => report().pending === 0);
  await machine.files.remove("/etc/demo/n");
  await machine.files.makeDirectory("/etc/demo/n/full");
  await clock.advance(2000);
  await say([
    ["n", null],
    ["o", row("o", "10.0.0.9")],
  ]);
  await until(async () => {
    await clock.advance(2000);
    return machine.text("/etc/demo/o") === "10.0.0.9" && facts()?.failing;
  });
  assert.match(
    report().why ?? "",
    /^cannot be replaced or removed: \/etc\/demo\/n \(.*a directory.*namei -l \/etc\/demo\/n/,
  );
  assert.deepEqual([report().failing, report().rows], [true, 2]);
  await machine.files.remove("/etc/demo/n/full");
  await machine.files.remove("/etc/demo/n");
  await until(async () => {
    await clock.advance(30_000);
    return !report().failing;
  });
  assert.equal(report().why, undefined);
  await host.down();
  end();
});
