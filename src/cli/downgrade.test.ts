import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { brokerSchema } from "../brokers/sqlite/schema.ts";
import { version } from "../core/util/version.ts";
import { directoryFile, lockFile, openStore, storeFile } from "../daemon/store-file.ts";
import { eventSchema } from "../directories/events/schema.ts";
import { ownedSchema, storeSchema } from "../host/store/schema.ts";
import { takeLock } from "../sqlite/lock.ts";
import { migrate, type Schema } from "../sqlite/migrate.ts";
import { openDatabase } from "../sqlite/open.ts";
import { main } from "./main.ts";

/** A project whose one host has a store with a service that a person holds, and a command line in it. */
function project(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "trigger-downgrade-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const config = { directory: { ldif: "directory.ldif" }, state: "state", hosts: { box: ["event", "dhcp"] } };
  writeFileSync(join(folder, "trigger.config.ts"), `export default ${JSON.stringify(config)};\n`);
  mkdirSync(join(folder, "services"));
  writeFileSync(join(folder, "services", "dhcp.ts"), "");
  const state = join(folder, "state");
  const log: string[] = [];
  const open = () => openStore(state, "box", Date.now(), (line) => void log.push(line));
  const store = open();
  store.service("dhcp").write({ held: { by: "person", detail: "a move" } });
  store.close();
  const trigger = async (...words: string[]): Promise<{ code: number; said: string }> => {
    let said = "";
    const write = (text: string): void => {
      said += text;
    };
    const code = await main(words, { folder, colour: false, signal: t.signal, out: write, err: write });
    return { code, said };
  };
  const file = storeFile(state, "box");
  return { trigger, open, log, state, file };
}

const known = storeSchema.migrations.length;
const more = (schema: Schema): Schema => ({ migrations: [...schema.migrations, "CREATE TABLE more (a)"] });

/** Migrates a file as a program of the next version would. */
function upgraded(file: string, schema: Schema): void {
  const database = openDatabase(file);
  migrate(database, more(schema), "0.9.0");
  database.exec("INSERT INTO more VALUES ('new')");
  database.close();
}

test("the version in the code is that of the package", () => {
  const { version: packaged } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  assert.equal(version, packaged);
});

test("a newer store is refused by name, and put back by `downgrade --yes` alone", async (t) => {
  const { trigger, open, file, state } = project(t);
  upgraded(file, storeSchema);
  upgraded(join(state, "box", "owned.db"), ownedSchema);
  const refusal = /store\.db was written by trigger 0\.9\.0, .*`trigger downgrade`/;
  const before = await trigger("status");
  assert.equal(before.code, 2);
  assert.match(before.said, refusal);
  assert.equal(before.said.split("was written by").length, 2, "it is said once");
  assert.throws(open, /owned\.db was written by trigger 0\.9\.0/);

  const asked = await trigger("downgrade");
  assert.equal(asked.code, 1);
  assert.match(
    asked.said,
    /would put back .*store\.db\.version-\d+, of \d{4}-.*\n {2}lost: orders that people gave since/,
  );
  assert.match(asked.said, /trigger downgrade --yes/);
  assert.match((await trigger("status")).said, refusal);

  const done = await trigger("downgrade", "--yes");
  assert.equal(done.code, 0, done.said);
  assert.match(done.said, /put back .*store\.db, .*the newer one is .*store\.db\.from-version-\d+\n/);
  using store = open();
  assert.deepEqual(store.service("dhcp").facts?.held, { by: "person", detail: "a move" });
  using kept = openDatabase(`${file}.from-version-${known + 1}`, { readOnly: true });
  assert.equal(kept.prepare("SELECT a FROM more").get()?.a, "new");
  assert.deepEqual(await trigger("downgrade", "--yes"), {
    code: 0,
    said: "nothing in the state is newer than this program\n",
  });
});

test("no file is put back while a host is up or without a copy", async (t) => {
  const { trigger, file, state } = project(t);
  upgraded(file, storeSchema);
  const lock = takeLock(lockFile(state, "box"));
  const up = await trigger("downgrade", "--yes");
  lock?.release();
  assert.deepEqual([up.code, existsSync(`${file}.version-${known}`)], [2, true]);
  assert.match(up.said, /box is up on this machine: stop it first/);
  rmSync(`${file}.version-${known}`);
  const missing = await trigger("downgrade", "--yes");
  assert.equal(missing.code, 2);
  assert.match(
    missing.said,
    /store\.db was written by trigger 0\.9\.0, and no earlier copy lies beside it: install 0\.9\.0/,
  );
});

test("no file is put back if one is in use or its copy damaged", async (t) => {
  const { trigger, file, state } = project(t);
  const broker = join(state, "broker.db");
  const begun = openDatabase(broker);
  migrate(begun, brokerSchema, version);
  begun.close();
  for (const [name, schema] of [
    [file, storeSchema],
    [broker, brokerSchema],
  ] as const) {
    upgraded(name, schema);
  }
  const open = openDatabase(broker);
  open.prepare("SELECT a FROM more").get();
  const used = await trigger("downgrade", "--yes");
  open.close();
  assert.deepEqual([used.code, existsSync(`${file}.version-${known}`)], [2, true]);
  assert.match(used.said, /broker\.db is in use by a process: stop it first\n$/);

  writeFileSync(`${broker}.version-${brokerSchema.migrations.length}`, "torn");
  const damaged = await trigger("downgrade", "--yes");
  assert.deepEqual([damaged.code, existsSync(`${file}.version-${known}`)], [2, true]);
  assert.match(damaged.said, /broker\.db\.version-\d+ cannot be put back \(.*\): install 0\.9\.0 again\n$/);
});

test("a directory that lost its host's store is put back", async (t) => {
  const { trigger, file, state } = project(t);
  rmSync(file);
  const directory = openDatabase(directoryFile(state, "box"));
  migrate(directory, eventSchema, version);
  directory.close();
  upgraded(directoryFile(state, "box"), eventSchema);
  assert.match((await trigger("downgrade", "--yes")).said, /put back .*directory\.db/);
});

test("a host logs the migration of its store and the place of the copy", (t) => {
  const { open, log, file } = project(t);
  rmSync(file);
  copyFileSync(new URL("../../test/stores/schema-1/store.db", import.meta.url), file);
  open().close();
  assert.deepEqual(log, [`${file} is migrated; the earlier file is kept as ${file}.version-1`]);
  open().close();
  assert.equal(log.length, 1);
});
