import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { emptyStore } from "../../../test/fixtures/empty-store.ts";
import { knownServices, writeFacts } from "./facts.ts";
import { forgetService, leftBy, tablesOfServices } from "./forget.ts";

function openStore(): DatabaseSync {
  const database = emptyStore();
  return database;
}

test("a forgotten service leaves a list and no rows; others keep theirs", () => {
  using database = openStore();
  for (const service of ["dhcp", "dns"]) {
    writeFacts(database, service, { rows: 2 });
    const row = database.prepare("INSERT INTO row (service, key, hash, desired, applied) VALUES (?, ?, 0, '{}', ?)");
    row.run(service, "applied", "{}");
    row.run(service, "pending", null);
    database.prepare("INSERT INTO message (service, body, at) VALUES (?, x'00', 0)").run(service);
    database
      .prepare("INSERT INTO install_path (path, service, applied) VALUES (?, ?, 'hash')")
      .run(`/etc/${service}`, service);
    database.prepare("INSERT INTO install_edit (path, at) VALUES (?, 0)").run(`/etc/${service}`);
    const owned = database.prepare("INSERT INTO owned (service, name, state, since) VALUES (?, ?, ?, 0)");
    owned.run(service, "b", "ours");
    owned.run(service, "a", "ours");
    owned.run(service, "gone", "gone");
    owned.run(service, `/etc/${service}`, "ours");
  }
  assert.deepEqual(leftBy(database, "dhcp"), {
    ...{ service: "dhcp", rows: 1, messages: 1, files: ["/etc/dhcp"], records: ["a", "b"] },
  });
  forgetService(database, "dhcp");
  assert.deepEqual(knownServices(database), ["dns"]);
  for (const table of tablesOfServices(database)) {
    assert.equal(database.prepare(`SELECT count(*) AS n FROM ${table} WHERE service = 'dhcp'`).get()?.n, 0, table);
  }
  assert.equal(database.prepare("SELECT count(*) AS n FROM row WHERE service = 'dns'").get()?.n, 2);
  assert.equal(database.prepare("SELECT path FROM install_edit").get()?.path, "/etc/dns");
  assert.equal(leftBy(database, "dhcp"), undefined);
});
