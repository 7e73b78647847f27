import assert from "node:assert/strict";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { makeProject } from "../project.ts";
import { stores } from "./stores.ts";

function scene(t: TestContext) {
  const project = makeProject(t);
  const [store, owned] = [project.path(".trigger/box/store.db"), project.path(".trigger/box/owned.db")];
  mkdirSync(project.path(".trigger/box"), { recursive: true });
  writeFileSync(owned, "");
  const write = (value: number): void => {
    using database = new DatabaseSync(store);
    database.exec(`CREATE TABLE IF NOT EXISTS place (seq INTEGER); INSERT INTO place VALUES (${value})`);
  };
  const read = (): unknown => {
    using database = new DatabaseSync(store, { readOnly: true });
    return database.prepare("SELECT max(seq) AS seq FROM place").get()?.seq;
  };
  const replaced: string[] = [];
  return { store, owned, write, read, replaced, stores: stores(project, (host) => replaced.push(host)) };
}

test("an earlier copy of a store is put back, and its watcher is told", async (t) => {
  const { stores, write, read, replaced } = scene(t);
  write(1);
  const first = await stores.copy("box");
  write(2);
  assert.equal(await stores.copy("box"), first, "the one before is given");
  write(3);
  assert.equal(read(), 3);
  await stores.putBack("box", first);
  assert.equal(read(), 1);
  assert.ok(replaced.includes("box"));
});

test("losing a store removes its log and its damaged copies, but not owned.db", (t) => {
  const { stores, store, owned, write } = scene(t);
  write(1);
  const beside = ["-wal", "-shm", ".corrupt-1"].map((suffix) => `${store}${suffix}`);
  for (const file of beside) writeFileSync(file, "");
  stores.lose("box");
  assert.deepEqual([store, ...beside, owned].filter(existsSync), [owned]);
});
