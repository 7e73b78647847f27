import assert from "node:assert/strict";
import { test } from "node:test";
import { readRow } from "../../src/core/service/read-row.ts";
import type { Service } from "../../src/core/service/service.ts";
import { type ConformanceOptions, conformance } from "../../src/testing/conformance.ts";
import type { TestMachine } from "../../src/testing/kit/case.ts";
import type { MemoryMachine } from "../../src/testing/memory-machine.ts";
import { campusOf } from "./campus.ts";
import { quietMachine, scene, tableOf } from "./scene.ts";

interface Surroundings extends Pick<ConformanceOptions, "meaning"> {
  machine?: () => TestMachine;
  /** The first numbers of the addresses of the sample machines. */
  network?: string;
}

/** The requirements of every service with a table, for any purpose. `samples` are rows as `select` gives them. */
export function conform(
  name: string,
  service: Service,
  samples: readonly object[],
  { machine = () => quietMachine(), network = "10.0.0", meaning }: Surroundings = {},
): void {
  const table = tableOf(service);

  test(`${name}: a row survives a round trip through JSON unchanged`, () => {
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

  test(`${name}: it keeps the rules of the conformance kit`, async () => {
    // The fast lane runs a tenth of the random input.
    const part = Number(process.env.TRIGGER_FUZZ ?? 1);
    const effort = { histories: Math.ceil(8 * part), crashes: Math.ceil(40 * part) };
    const now = Date.UTC(2026, 10, 22);
    await conformance(service, {
      ...effort,
      machine,
      now,
      ...(meaning && { meaning }),
      entries: campusOf(network),
      host: "host1",
    });
  });

  test(`${name}: a run on an empty table works, with its state known or not`, async () => {
    const on = scene(service, { machine: machine() });
    await on.run({}, { whole: true });
    await on.run({});
  });

  test(`${name}: a second run on the same rows changes nothing`, async () => {
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
