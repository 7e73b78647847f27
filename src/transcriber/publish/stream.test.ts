import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../../../test/until.ts";
import { CellTable } from "../../core/stream/cell-table.ts";
import type { CellChange } from "../../core/stream/cells.ts";
import { type StreamMessage, streamMessage } from "../../core/stream/messages.ts";
import { MessageRefused } from "../../ports/broker.ts";
import { openStream, type Stream } from "./stream.ts";

/** A stream to a broker that confirms at the test's command. */
function slowly() {
  const table = new CellTable("dhcp");
  const sent: { key: string; message: StreamMessage }[] = [];
  const confirms: (() => void)[] = [];
  const stream: Stream = openStream({
    ...{ service: "dhcp", everyone: "trigger.dhcp", hosts: ["dhcp1"] },
    table,
    asOf: () => ({ state: [], clock: 0 }),
    applying: () => false,
    allowance: { allows: () => true, count() {} },
    publish(key, body) {
      sent.push({ key, message: streamMessage.parse(JSON.parse(body)) });
      return new Promise((resolve) => confirms.push(resolve));
    },
    revive: async () => {},
    log() {},
  });
  return {
    stream,
    sent,
    table,
    change(...changes: CellChange[]) {
      table.apply(changes);
      stream.publishChanges(changes);
    },
    /** Confirms the sent messages, and those that follow from them, until there are no more. */
    async confirm() {
      for (let confirm = confirms.shift(); confirm; confirm = confirms.shift()) {
        confirm();
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    kinds: () => sent.map(({ message: { kind, epoch, seq } }) => `${kind} ${epoch} ${seq}`),
  };
}

test("the backlog holds each key's last cell, and a digest follows its rows", async () => {
  const { stream, sent, table, change, confirm, kinds } = slowly();
  stream.begin(7, false);
  for (const cell of ["{1}", "{2}", "{3}"]) change(["a", cell]);
  change(["b", "{}"], ["a", null]);
  for (let count = 0; count < 100; count++) stream.answer("dhcp1", "digest");
  await confirm();
  assert.deepEqual(kinds(), ["digest 7 0", "rows 7 1", "digest 7 1"]);
  const [, rows, digest] = sent.map(({ message }) => message);
  assert.deepEqual(rows?.kind === "rows" && rows.rows, [
    ["a", null],
    ["b", "{}"],
  ]);
  assert.equal(digest?.kind === "digest" && digest.root, table.digest.root);
  assert.deepEqual(
    sent.map(({ key }) => key),
    ["trigger.dhcp", "trigger.dhcp", "trigger.dhcp.dhcp1"],
  );
});

test("the backlog of an epoch ends with it", async () => {
  const { stream, change, confirm, kinds } = slowly();
  stream.begin(7, false);
  await confirm();
  const large: CellChange[] = ["a", "b", "c"].map((key) => [key, "x".repeat(400_000)]);
  change(...large);
  stream.begin(8, true);
  await confirm();
  assert.deepEqual(kinds(), ["digest 7 0", "rows 7 1", "digest 8 0"]);
  stream.end();
  change(["a", "{}"]);
  stream.digest();
  await confirm();
  assert.equal(kinds().length, 3);
});

test("a digest is published once the broker is back", async () => {
  const table = new CellTable("dhcp");
  const kinds: string[] = [];
  let refusals = 3;
  const stream = openStream({
    ...{ service: "dhcp", everyone: "trigger.dhcp", hosts: ["dhcp1"] },
    table,
    asOf: () => ({ state: [], clock: 0 }),
    applying: () => false,
    allowance: { allows: () => true, count() {} },
    async publish(_, body) {
      if (refusals-- > 0) throw new Error("no");
      kinds.push(streamMessage.parse(JSON.parse(body)).kind);
    },
    revive: async () => {},
    log() {},
  });
  stream.begin(7, false);
  await until(() => kinds.length > 0);
  assert.deepEqual(kinds, ["digest"]);
  assert.equal(stream.behind, false);
});

test("a refusing queue is found, others get copies, and a digest ends its refusal", async () => {
  const table = new CellTable("dhcp");
  const taken: string[] = [];
  const log: string[] = [];
  let refuses = true;
  const stream = openStream({
    ...{ service: "dhcp", everyone: "trigger.dhcp", hosts: ["a", "b", "c"], table },
    asOf: () => ({ state: [], clock: 0 }),
    applying: () => false,
    allowance: { allows: () => true, count() {} },
    async publish(key, body) {
      const { kind, seq } = streamMessage.parse(JSON.parse(body));
      taken.push(`${key} ${kind} ${seq}`);
      // The broker routes to each queue, and refuses as soon as one does.
      if (refuses && (key === "trigger.dhcp" || key === "trigger.dhcp.b")) throw new MessageRefused("no");
    },
    revive: async () => assert.fail(),
    log: (line) => void log.push(line),
  });
  const change = (key: string): void => {
    table.set(key, "{}");
    stream.publishChanges([[key, "{}"]]);
  };
  stream.begin(7, false);
  await until(() => stream.blockedQueues.length === 1);
  await until(() => taken.length === 4);
  change("x");
  await until(() => taken.length === 6);
  assert.deepEqual(taken.splice(0), [
    "trigger.dhcp digest 0",
    ...["trigger.dhcp.a digest 0", "trigger.dhcp.b digest 0", "trigger.dhcp.c digest 0"],
    ...["trigger.dhcp.a rows 1", "trigger.dhcp.c rows 1"],
  ]);
  assert.equal(stream.behind, false);
  assert.match(
    log[0] ?? "",
    /^queue trigger-b-dhcp refuses messages, so b gets no changes; .*`rabbitmqctl list_queues/,
  );
  refuses = false;
  stream.digest();
  await until(() => taken.length === 3 && stream.blockedQueues.length === 0);
  change("y");
  await until(() => taken.length === 4);
  assert.deepEqual(
    taken.slice(0, 3).sort(),
    ["trigger.dhcp.a", "trigger.dhcp.b", "trigger.dhcp.c"].map((key) => `${key} digest 1`),
  );
  assert.equal(taken[3], "trigger.dhcp rows 2");
  assert.deepEqual(log.slice(1), ["queue trigger-b-dhcp accepts messages again"]);
});
