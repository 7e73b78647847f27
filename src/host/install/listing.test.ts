import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyStore } from "../../../test/fixtures/empty-store.ts";
import { hostIn, standingClock } from "../../../test/fixtures/install.ts";
import { memoryMachine } from "../../testing/memory-machine.ts";

test("an install lists a folder of many files once, a removal three times", async () => {
  const inner = memoryMachine({ otherwise: () => ({ code: 0 }) });
  const listed: string[] = [];
  const files = {
    ...inner.files,
    list: (path: string) => {
      listed.push(path);
      return inner.files.list(path);
    },
  };
  const scene = { machine: { ...inner, files }, database: emptyStore(), clock: standingClock() };
  /**
   * Installs a number of files of these texts in each of two folders; returns the number of listings of each folder.
   */
  const install = async (many: number, text: string): Promise<number[]> => {
    listed.length = 0;
    const wanted = ["/etc/a", "/etc/b"].flatMap((folder) =>
      Array.from({ length: many }, (_, n) => ({ path: `${folder}/f${n}`, text })),
    );
    await hostIn(scene).install(wanted, { all: true });
    return ["/etc/a", "/etc/b"].map((folder) => listed.filter((path) => path === `${folder}/.trigger`).length);
  };
  assert.deepEqual(await install(1, "first"), [0, 0]);
  for (const many of [30, 60]) {
    assert.deepEqual(await install(many, `${many} new`), [1, 1]);
    assert.deepEqual(await install(many, `${many} changed`), [1, 1]);
    assert.deepEqual(await install(many, `${many} changed`), [1, 1]);
  }
  assert.deepEqual(await install(10, "fewer"), [3, 3]);
  // Another program has removed one already.
  for (let n = 5; n < 10; n++) await inner.files.remove(`/etc/a/f${n}`);
  assert.deepEqual(await install(5, "fewest"), [3, 3]);
  assert.deepEqual(
    (await inner.files.list("/etc/a/.trigger")).filter((name) => !name.endsWith(".mine")).length,
    5,
    "a last good one of each",
  );
});
