import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection } from "./connection.ts";
import { remaker } from "./remake.ts";
import type { Topology } from "./topology.ts";

test("over a connection on which nothing is confirmed no queue is deleted, nor is another asked to", async () => {
  for (const deaf of [true, false]) {
    const deleted: string[] = [];
    const declared = { expendable: () => true, remake: async (_: unknown, name: string) => void deleted.push(name) };
    const remake = remaker({
      ...{ declared: declared as unknown as Topology, settle: async () => {}, askFor: () => assert.fail(), log() {} },
      knowsNothing: () => deaf,
    });
    await remake({ ended: new Promise(() => {}) } as unknown as Connection, "q");
    assert.deepEqual(deleted, deaf ? [] : ["q"]);
  }
});
