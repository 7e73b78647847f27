import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isBusy, openDatabase, retryWhileBusy, transaction } from "./open.ts";

const directory = mkdtempSync(join(tmpdir(), "trigger-open-"));
test.after(() => rmSync(directory, { recursive: true }));

const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);

test("only its owner may read a new database, its log and its directory", () => {
  const file = join(directory, "private", "a.sqlite");
  using database = openDatabase(file);
  database.exec("CREATE TABLE t (x)");
  assert.deepEqual([mode(join(directory, "private")), mode(file), mode(`${file}-wal`)], ["700", "600", "600"]);
});

test("a transaction that throws leaves nothing behind", () => {
  using database = openDatabase(join(directory, "b.sqlite"));
  database.exec("CREATE TABLE t (x)");
  const failing = (): void =>
    transaction(database, () => {
      database.exec("INSERT INTO t VALUES (1)");
      throw new Error("no");
    });
  assert.throws(failing, /^Error: no$/);
  assert.equal(database.prepare("SELECT count(*) AS n FROM t").get()?.n, 0);
});

test("a writer that meets another one retries without stopping the event loop", async () => {
  const file = join(directory, "c.sqlite");
  using first = openDatabase(file);
  first.exec("CREATE TABLE t (x)");
  using second = openDatabase(file);
  first.exec("BEGIN IMMEDIATE");
  let turns = 0;
  const turning = setInterval(() => {
    turns++;
    if (turns === 10) first.exec("COMMIT");
  }, 5);
  await retryWhileBusy(() => transaction(second, () => second.exec("INSERT INTO t VALUES (1)")));
  clearInterval(turning);
  assert.ok(turns >= 10, `${turns} turns of the event loop while waiting`);
});

test("waiting for another writer ends with the signal", async () => {
  const file = join(directory, "d.sqlite");
  using first = openDatabase(file);
  using second = openDatabase(file);
  first.exec("BEGIN IMMEDIATE");
  await assert.rejects(
    retryWhileBusy(() => second.exec("BEGIN IMMEDIATE"), AbortSignal.timeout(10)),
    { name: "TimeoutError" },
  );
});

test("a file that is no database is an error", () => {
  const file = join(directory, "e.sqlite");
  writeFileSync(file, "certainly no database, however long it is read".repeat(100));
  assert.throws(() => openDatabase(file), /not a database/);
});

test("errors that are not of SQLite are not busy", () => {
  assert.equal(isBusy(new Error("database is locked")), false);
});
