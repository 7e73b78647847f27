import assert from "node:assert/strict";
import { test } from "node:test";
import { readRow } from "../../src/core/service/read-row.ts";
import type { Service } from "../../src/core/service/service.ts";
import type { MemoryMachine } from "../../src/testing/memory-machine.ts";
import { quietMachine, scene, tableOf } from "./scene.ts";

/** What every service with a table must do, whatever it is for. `samples` are rows as `select` gives them. */
export function conform(
  name: string,
  service: Service,
  samples: readonly object[],
  { machine = () => quietMachine() }: { machine?: () => MemoryMachine } = {},
): void {
  const table = tableOf(service);

  test(`${name}: a row that was read, sent as JSON and read again is the same row`, () => {
    for (const sample of samples) {
      const once = readRow(table, sample);
      assert.ok("cell" in once, "wrong" in once ? once.wrong : "");
      const twice = readRow(table, JSON.parse(once.cell));
      assert.deepEqual(twice, once);
    }
  });

  test(`${name}: its unique and secret columns are columns of the row`, () => {
    for (const sample of samples) {
      const read = readRow(table, sample);
      assert.ok("row" in read);
      for (const column of table.unique ?? []) assert.ok(column in read.row, `${column} is no column`);
      for (const column of table.secret ?? []) assert.ok(column in read.row, `${column} is no column`);
    }
  });

  test(`${name}: it runs on an empty table, with its state known or not`, async () => {
    const on = scene(service, { machine: machine() });
    await on.run({}, { whole: true });
    await on.run({});
  });

  test(`${name}: run twice on the same rows, it changes nothing the second time`, async () => {
    const on = scene(service, { machine: machine() });
    const rows = Object.fromEntries(samples.map((sample, index) => [`key${index}`, sample]));
    await on.run(rows, { whole: true });
    const before = await snapshot(on.machine);
    await on.run(rows, { whole: true });
    assert.deepEqual(await snapshot(on.machine), before);
  });
}

async function snapshot({ files }: MemoryMachine, path = "/"): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const name of await files.list(path)) {
    const inside = path === "/" ? `/${name}` : `${path}/${name}`;
    const stat = await files.stat(inside);
    if (stat?.kind === "directory")
      Object.assign(found, { [inside]: stat }, await snapshot({ files } as MemoryMachine, inside));
    else found[inside] = { ...stat, text: new TextDecoder().decode(await files.read(inside)) };
  }
  return found;
}
