import assert from "node:assert/strict";
import { test } from "node:test";
import { orderTo } from "../../../test/fixtures/order.ts";
import { orderIdOf, orderMessage } from "./order.ts";

test("ids of orders are UUIDs of version 7, and sort by their time", () => {
  // RFC 9562, appendix A.6.
  const example = Buffer.from("0cc318c4dc0c0c07398f", "hex");
  assert.equal(orderIdOf(0x017f22e279b0, example), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  const times = [0, 1, 255, 256, 1_795_347_271_014, 2 ** 47];
  const ids = times.map((at) => orderIdOf(at, Buffer.alloc(10, 0xff)));
  assert.deepEqual(ids.toSorted(), ids);
});

test("an order is read without the members that this version does not know", () => {
  const order = orderTo("box", { service: "dhcp", order: "regen" });
  assert.deepEqual(orderMessage.parse({ ...order, ticket: 7 }), order);
});

test("an order without a host, a known kind or a proper id is refused", () => {
  const order = orderTo("box", { service: "dhcp", order: "regen" });
  for (const wrong of [{ hosts: [] }, { order: "destroy" }, { id: "7" }, { by: undefined }, { at: 1e300 }]) {
    assert.ok(!orderMessage.safeParse({ ...order, ...wrong }).success, JSON.stringify(wrong));
  }
});
