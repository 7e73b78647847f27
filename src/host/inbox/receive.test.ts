import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyStore } from "../../../test/fixtures/empty-store.ts";
import { row, simulatedService } from "../../../test/fixtures/host.ts";
import { delivered, storeOf, told } from "../../../test/fixtures/host-parts.ts";
import { CellTable } from "../../core/stream/cell-table.ts";
import { StreamWriter } from "../../core/stream/transcriber-end.ts";
import { hostStore } from "../store/host-store.ts";
import { receiver } from "./receive.ts";

test("a batch that cannot be stored is not acknowledged, and leaves nothing", async () => {
  const { definition } = simulatedService();
  assert.ok("table" in definition);
  const database = emptyStore();
  const store = hostStore(database).service("dhcp");
  const rows = store.rows(definition.table);
  const taking = receiver("a", { store, service: definition, rows }, { log() {} });
  const asOf = { state: [], clock: 0 };
  const writer = new StreamWriter("dhcp", new CellTable("dhcp"), { epoch: 1 });
  const messages = [
    ...writer.rows([["k", row("a", "10.0.0.1")]], asOf),
    ...writer.rows([["l", row("b", "10.0.0.2")]], asOf),
  ];
  database.exec(
    "CREATE TRIGGER full BEFORE INSERT ON row WHEN new.key = 'l' BEGIN SELECT raise(ABORT, 'no room'); END",
  );
  let acknowledged = 0;
  const deliveries = messages.map((message) => {
    const body = new TextEncoder().encode(JSON.stringify(message));
    return { key: "trigger.dhcp", body, redelivered: false, ack: () => void acknowledged++ };
  });
  await assert.rejects(taking.take(deliveries, 0, new AbortController().signal), /no room/);
  assert.equal(acknowledged, 0);
  assert.deepEqual(taking.followed, {}, "rows that come again are not taken for known");
  assert.equal(rows.digest.count, 0);
  database.close();
});

test("the reader that a receiver is handed decides what is stored", async () => {
  const { definition } = simulatedService();
  const { inbox, end } = storeOf(definition);
  const receive = receiver("a", inbox, { log() {}, follow: (followed) => ({ followed, dropped: "late" }) });
  const messages = told().rows([["k", row("a", "10.0.0.1")]]);
  await receive.take(messages.map(delivered), 0, new AbortController().signal);
  assert.deepEqual([inbox.rows?.digest.count, receive.followed], [0, {}]);
  await end();
});
