import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readContent } from "../../src/directories/ldif/content.ts";
import { homes } from "../../src/services/homes.ts";
import { mirrored } from "../../src/transcriber/mirror/mirror-entry.ts";
import { entryApi } from "../../src/transcriber/tables/entry-api.ts";
import { quietMachine, scene, selected } from "./scene.ts";

/** LDIF that this project did not write lies beside the checkout where it is developed. */
const folder = join(import.meta.dirname, "../../../shared/data");
const skip = existsSync(folder) ? false : `${folder} is not there`;

for (const [file, accounts] of [
  ["posix-1000.ldif", 1000],
  ["slapcat-memberof.ldif", 5],
] as const) {
  test(`homes of the ${accounts} accounts of ${file} are made and archived`, { skip }, async () => {
    const service = homes({ firstUid: 0, firstGid: 0 }, { now: () => new Date("2026-11-22Z") });
    const entries = readContent(readFileSync(join(folder, file)), file);
    const rows = entries.flatMap((entry) => {
      const row = selected(service, entryApi(mirrored(entry), { timezone: "UTC" })) as object | undefined;
      return row ? [[entry.uuid, row] as const] : [];
    });
    assert.equal(rows.length, accounts);
    const { machine, run } = scene(service, { machine: quietMachine({ "/home/readme": "" }) });
    assert.deepEqual(await run(Object.fromEntries(rows), { whole: true }), { refused: [] });
    assert.equal((await machine.files.list("/home")).length, accounts + 2);
    await run({});
    assert.equal((await machine.files.list("/home/.archive")).length, accounts);
  });
}
