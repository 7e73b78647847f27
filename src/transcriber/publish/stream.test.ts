import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../../../test/until.ts";
import { CellTable } from "../../core/stream/cell-table.ts";
import type { CellChange } from "../../core/stream/cells.ts";
import { type StreamMessage, streamMessage } from "../../core/stream/messages.ts";
import { MessageRefused } from "../../ports/broker.ts";
import { type Channel, channel } from "./stream.ts";

/** A channel to a broker that confirms when the test says so. */
function slowly() {
  const table = new CellTable("dhcp");
  const sent: { key: string; message: StreamMessage }[] = [];
  const confirms: (() => void)[] = [];
  const said: Channel = channel({
    ...{ service: "dhcp", everyone: "trigger.dhcp", hosts: ["dhcp1"] },
    table,
    asOf: () => ({ state: [], clock: 0 }),
    settling: () => false,
    allows: () => true,
    publish(key, body) {
      sent.push({ key, message: streamMessage.parse(JSON.parse(body)) });
      return new Promise((resolve) => confirms.push(resolve));
    },
    revive: async () => {},
    log() {},
  });
  return {
    said,
    sent,
    table,
    move(...changes: CellChange[]) {
      table.apply(changes);
      said.moved(changes);
    },
    /** Confirms what was sent, and what follows from it, until nothing more comes. */
    async confirm() {
      for (let confirm = confirms.shift(); confirm; confirm = confirms.shift()) {
        confirm();
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    kinds: () => sent.map(({ message: { kind, epoch, seq } }) => `${kind} ${epoch} ${seq}`),
  };
}

test("what waits for the broker is the last word for each key, and a digest stands where its rows do", async () => {
  const { said, sent, table, move, confirm, kinds } = slowly();
  said.begin(7, false);
  for (const cell of ["{1}", "{2}", "{3}"]) move(["a", cell]);
  move(["b", "{}"], ["a", null]);
  for (let count = 0; count < 100; count++) said.answer("dhcp1", "digest");
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

test("when another epoch begins, what was still to be said of the last one is not", async () => {
  const { said, move, confirm, kinds } = slowly();
  said.begin(7, false);
  await confirm();
  const large: CellChange[] = ["a", "b", "c"].map((key) => [key, "x".repeat(400_000)]);
  move(...large);
  said.begin(8, true);
  await confirm();
  assert.deepEqual(kinds(), ["digest 7 0", "rows 7 1", "digest 8 0"]);
  said.end();
  move(["a", "{}"]);
  said.digest();
  await confirm();
  assert.equal(kinds().length, 3);
});

test("a broker that refuses for a while is told a digest in the end", async () => {
  const table = new CellTable("dhcp");
  const kinds: string[] = [];
  let refusals = 3;
  const said = channel({
    ...{ service: "dhcp", everyone: "trigger.dhcp", hosts: ["dhcp1"] },
    table,
    asOf: () => ({ state: [], clock: 0 }),
    settling: () => false,
    allows: () => true,
    async publish(_, body) {
      if (refusals-- > 0) throw new Error("no");
      kinds.push(streamMessage.parse(JSON.parse(body)).kind);
    },
    revive: async () => {},
    log() {},
  });
  said.begin(7, false);
  await until(() => kinds.length > 0);
  assert.deepEqual(kinds, ["digest"]);
  assert.equal(said.behind, false);
});

test("a queue that refuses is found; the other hosts are told at once, and it by a digest when it takes again", async () => {
  const table = new CellTable("dhcp");
  const taken: string[] = [];
  const log: string[] = [];
  let refuses = true;
  const said = channel({
    ...{ service: "dhcp", everyone: "trigger.dhcp", hosts: ["a", "b", "c"], table },
    asOf: () => ({ state: [], clock: 0 }),
    settling: () => false,
    allows: () => true,
    async publish(key, body) {
      const { kind, seq } = streamMessage.parse(JSON.parse(body));
      taken.push(`${key} ${kind} ${seq}`);
      // The broker routes to each queue, and says no as soon as one does.
      if (refuses && (key === "trigger.dhcp" || key === "trigger.dhcp.b")) throw new MessageRefused("no");
    },
    revive: async () => assert.fail(),
    log: (line) => void log.push(line),
  });
  const move = (key: string): void => {
    table.set(key, "{}");
    said.moved([[key, "{}"]]);
  };
  said.begin(7, false);
  await until(() => said.refusing.length === 1);
  await until(() => taken.length === 4);
  move("x");
  await until(() => taken.length === 6);
  assert.deepEqual(taken.splice(0), [
    "trigger.dhcp digest 0",
    ...["trigger.dhcp.a digest 0", "trigger.dhcp.b digest 0", "trigger.dhcp.c digest 0"],
    ...["trigger.dhcp.a rows 1", "trigger.dhcp.c rows 1"],
  ]);
  assert.equal(said.behind, false);
  assert.match(log[0] ?? "", /^queue trigger-b-dhcp refuses messages, so b is not told; .*`rabbitmqctl list_queues/);
  refuses = false;
  said.digest();
  await until(() => taken.length === 3);
  move("y");
  await until(() => taken.length === 4);
  assert.deepEqual(taken.slice(1), ["trigger.dhcp.b digest 1", "trigger.dhcp.c digest 1", "trigger.dhcp rows 2"]);
  assert.deepEqual(log.slice(1), ["queue trigger-b-dhcp takes messages again"]);
});
