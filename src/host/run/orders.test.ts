import assert from "node:assert/strict";
import { test } from "node:test";
import { row, running } from "../../../test/fixtures/host.ts";
import { until } from "../../../test/until.ts";
import { Held } from "../../core/util/errors.ts";

/** A host with six applied rows, of which at most three an hour may be removed. */
async function scene() {
  const rows = Array.from({ length: 6 }, (_, i): [string, string] => [`k${i}`, row(`n${i}`, `10.0.0.${i + 1}`)]);
  const world = await running({ removalLimit: () => 3 }, rows);
  const removed = rows.slice(0, 4).map(([key]): [string, null] => [key, null]);
  let orders = 0;
  return {
    ...world,
    removed,
    /** Gives an order, and waits until it is carried out. */
    async order(what: { order: string; [field: string]: unknown }): Promise<void> {
      orders += 1;
      await world.give(what);
      await until(() => world.logged.filter((line) => line.includes(": asked to ")).length === orders);
      await world.clock.advance(2000);
    },
  };
}

test("an approval of an unknown digest changes nothing and ends no person's hold", async () => {
  await using world = await scene();
  const { say, order, removed, report, facts, dhcp, logged } = world;
  await say(removed);
  await until(() => report().removals?.rows === 4);
  await order({ order: "hold", why: "the cabling is being changed" });
  await say([["new", row("new", "10.0.0.99")]]);
  const before = { ...report(), stored: undefined };
  await order({ order: "approve", digest: "00000000" });
  assert.match(logged.at(-1) ?? "", /nothing waits under 00000000; 4 removals still wait: `trigger approve dhcp \w+`$/);
  assert.deepEqual({ ...report(), stored: undefined, pending: 0 }, { ...before, pending: 0 });
  assert.deepEqual(facts()?.held, { by: "person", detail: "the cabling is being changed" });
  assert.equal(dhcp.served.size, 6);
});

test("removals approved by digest wait for the end of a person's hold", async () => {
  await using world = await scene();
  const { say, order, removed, report, facts, dhcp } = world;
  await say(removed);
  await until(() => report().removals?.rows === 4);
  await order({ order: "hold" });
  await order({ order: "approve", digest: report().removals?.digest });
  await order({ order: "adopt", name: "a-record", remove: true });
  assert.deepEqual([facts()?.held?.by, dhcp.served.size], ["person", 6]);
  assert.equal(report().removals, undefined);
  await order({ order: "approve" });
  await until(() => dhcp.served.size === 2);
});

test("a conflict during a person's hold does not end that hold", async () => {
  await using world = await scene();
  const { say, order, facts, dhcp } = world;
  dhcp.controls.before = async () => {
    dhcp.controls.before = () => {};
    await order({ order: "hold" });
    throw new Held("a table exists, but trigger did not write it");
  };
  await say([["new", row("new", "10.0.0.99")]]);
  await until(() => facts()?.failing !== undefined);
  assert.equal(facts()?.held?.by, "person");
});
