import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { kea } from "../../../src/services/kea.ts";
import { startKea } from "../../servers/kea.ts";
import { startPostgres } from "../../servers/postgres.ts";
import { realScene } from "../../services/real-scene.ts";

const a = { mac: "02:00:00:00:00:0a", ip: "10.9.0.10", name: "pc-a", classes: ["staff", "printer"] };
const b = { mac: "02:00:00:00:00:0b", ip: "10.9.0.11" };
const well = { refused: [], held: [], proved: true };

/** A database as kea-admin makes it. */
async function keaDatabase() {
  const postgres = await startPostgres("kea");
  const words = ["db-init", "pgsql", "-u", "postgres", "-n", "kea", "-h", postgres.folder, "-p", "none"];
  await promisify(execFile)("kea-admin", words);
  return postgres;
}

test("rows in Kea's database are in force at the next packet, and Kea is told nothing", async () => {
  await using postgres = await keaDatabase();
  const database = { type: "postgresql", name: "kea", user: "postgres", host: postgres.folder };
  await using daemon = await startKea({ "hosts-database": database });
  const on = realScene(kea({ socket: daemon.socket, database: postgres.connection }));
  assert.deepEqual(await on.run({ a, b }, { whole: true }), well);
  assert.deepEqual(await daemon.lease(a.mac), { ip: a.ip, hostname: a.name });
  assert.deepEqual(await on.observe(), [a, b]);
});
