import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { hashEnd } from "../core/digest.ts";
import { Table } from "../core/table.ts";
import { Telling } from "../core/tell.ts";
import { row, simulatedService } from "./host.fixture.ts";
import { storedRows } from "./rows.ts";
import { createStoreTables } from "./store.ts";

test("a part makes its range hold just its rows", () => {
  const { definition } = simulatedService();
  assert.ok("table" in definition);
  const database = new DatabaseSync(":memory:");
  createStoreTables(database);
  const rows = storedRows(database, "dhcp", definition.table);
  const changes = [
    ["k", row("a", "10.0.0.1")],
    ["gone", row("b", "10.0.0.2")],
  ] as const;
  rows.write({ kind: "rows", rows: changes, staged: false }, 0);

  const table = new Table("dhcp");
  table.apply([["k", row("c", "10.0.0.3")]]);
  const part = new Telling("dhcp", table, { epoch: 1 }).part(0, hashEnd, { state: [], clock: 0 });
  rows.write({ kind: "part", part }, 0);

  assert.equal(rows.digest.root, table.digest.root);
  const kept = database.prepare("SELECT key, desired FROM row WHERE desired IS NOT NULL").all();
  assert.deepEqual(
    kept.map(({ key, desired }) => [key, desired]),
    [["k", row("c", "10.0.0.3")]],
  );
  database.close();
});
