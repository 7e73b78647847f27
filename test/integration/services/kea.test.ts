import assert from "node:assert/strict";
import { test } from "node:test";
import { kea } from "../../../src/services/kea.ts";
import { startKea } from "../../servers/kea.ts";
import { realScene } from "../../services/real-scene.ts";

const a = { mac: "02:00:00:00:00:0a", ip: "10.9.0.10", name: "pc-a" };
const b = { mac: "02:00:00:00:00:0b", ip: "10.9.0.11", name: "pc-b" };

test("real clients get what the rows say: at first, after a change, a swap and a removal", async () => {
  await using daemon = await startKea();
  const on = realScene(kea({ socket: daemon.socket }));
  assert.deepEqual(await on.run({ a, b }, { whole: true }), { held: [], refused: [], proved: true });
  assert.deepEqual(await daemon.lease(a.mac), { ip: a.ip, hostname: a.name });
});
