import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection } from "./connection.ts";
import { recreator } from "./recreate.ts";
import type { Topology } from "./topology.ts";

test("a connection without confirms neither deletes a queue nor asks another to", async () => {
  for (const silent of [true, false]) {
    const deleted: string[] = [];
    const declared = { expendable: () => true, recreate: async (_: unknown, name: string) => void deleted.push(name) };
    const recreate = recreator({
      ...{
        declared: declared as unknown as Topology,
        awaitDeletion: async () => {},
        askFor: () => assert.fail(),
        log() {},
      },
      nodeSuspected: () => silent,
    });
    await recreate({ ended: new Promise(() => {}) } as unknown as Connection, "q");
    assert.deepEqual(deleted, silent ? [] : ["q"]);
  }
});
