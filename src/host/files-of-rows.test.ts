import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { until } from "../../test/until.ts";
import { type Service, service } from "../core/service.ts";
import { memoryMachine } from "../machines/memory.ts";
import { row, scene } from "./host.fixture.ts";

test("files go unasked with the rows that go, and no others beside them", async () => {
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
  const { say, up, facts, clock, end } = scene(definition, { machine, removalLimit: () => 2 });
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
  // Another row goes, and the service gives one file of the others.
  kept = (file) => file.endsWith("m0.a");
  await say([["m8", null]]);
  await clock.advance(2000);
  await until(() => facts()?.held);
  assert.match(facts()?.held ?? "", /^26 files that are not given any more would be removed, at most 3 may unasked$/);
  assert.equal(await there(), 27);
  await host.down();
  end();
});
