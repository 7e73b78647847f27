import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { hostScene, row, simulatedService } from "../../../test/fixtures/host.ts";
import { orderTo } from "../../../test/fixtures/order.ts";
import { until } from "../../../test/until.ts";
import type { StreamMessage, WaveMessage } from "../../core/stream/messages.ts";
import { controlService, hostKey, serviceKey } from "../../core/stream/routing.ts";
import { signed, signingKey, wrongSignature } from "../../core/stream/signature.ts";

const [ours, theirs] = [0, 1].map(() => signingKey(generateKeyPairSync("ed25519").privateKey));
const distrust = (body: Uint8Array): string | undefined => wrongSignature(body, [ours!]);

/** A host that trusts one key, and a sender without that key who knows all public data and may publish. */
async function guarded() {
  const dhcp = simulatedService();
  /** All messages of the transcriber. */
  const said: string[] = [];
  const sign = (body: string): string => {
    const whole = signed(body, ours!);
    said.push(whole);
    return whole;
  };
  const world = hostScene(dhcp.definition, { distrust, sign });
  const stranger = world.hub.connect();
  await world.say([["k", row("a", "10.0.0.1")]]);
  const host = world.up();
  await until(() => dhcp.served.size === 1);
  const place = world.facts()?.followed.mark;
  assert.ok(place);
  const head = { trigger: 1, service: "dhcp", ...place } as const;
  const forged: StreamMessage = {
    ...{ ...head, seq: place.seq + 1, kind: "rows", piece: 0, more: false },
    rows: [["k", row("evil", "10.6.6.6")]],
  };
  return {
    ...{ world, dhcp, head, forged, said },
    publish: (body: string, key = serviceKey("dhcp")) => stranger.publish(key, body),
    untrusted: () => world.report().untrusted?.count ?? 0,
    async [Symbol.asyncDispose]() {
      await host.down();
      world.end();
    },
  };
}

test("a host with trusted keys rejects and counts all messages of other keys", async () => {
  await using all = await guarded();
  const { world, dhcp, head, forged, publish } = all;
  const before = world.facts()?.followed;
  const epoch = head.epoch + 1_000_000;
  const { seq } = head;
  const forgeries: (StreamMessage | WaveMessage)[] = [
    forged,
    { ...forged, epoch },
    { ...head, epoch, rolledBack: true, kind: "digest", root: "0".repeat(64), count: 0 },
    { ...head, kind: "part", from: 0, to: 2 ** 32, rows: [] },
    { trigger: 1, service: "dhcp", kind: "wave", epoch, seq, failing: "ns1: no" },
  ];
  const bodies = forgeries.map((message) => JSON.stringify(message));
  for (const body of bodies) await publish(body);
  for (const body of bodies) await publish(signed(body, theirs!));
  for (const body of bodies) await publish(signed(body, { ...theirs!, name: ours!.name }));
  await until(() => all.untrusted() === 15);
  assert.deepEqual(world.facts()?.followed, before);
  assert.equal(world.report().untrusted?.why, `its signature by the key ${ours!.name} is wrong`);
  assert.equal(world.logged.filter((line) => line.includes("a message is rejected")).length, 1);

  await world.say([["k2", row("b", "10.0.0.2")]]);
  await world.clock.advance(1_000);
  await until(() => dhcp.served.size === 2);
  assert.ok(![...dhcp.served.values()].some(({ name }) => name === "evil"));
  assert.equal(all.untrusted(), 15);
});

test("a replayed message of the trusted key changes nothing, in any order", async () => {
  await using all = await guarded();
  const { world, dhcp, said, publish } = all;
  for (const ip of ["10.0.0.2", "10.0.0.3", "10.0.0.4"]) {
    await world.say([["k", row("a", ip)]]);
    await world.digest();
  }
  const old = said.splice(0);
  for (const body of [...old, ...old.toReversed()]) await publish(body);
  await world.say([["k2", row("b", "10.0.0.5")]]);
  await world.clock.advance(1_000);
  await until(() => dhcp.served.size === 2);
  assert.equal(dhcp.served.get("k")?.ip, "10.0.0.4");
  assert.equal(world.facts()?.followed.doubt, undefined);
  assert.equal(all.untrusted(), 0);
});

test("an order is obeyed with the signature of a trusted key alone", async () => {
  await using all = await guarded();
  const order = (): string => JSON.stringify(orderTo("a", { service: "dhcp", order: "hold" }));
  const key = hostKey(controlService, "a");
  await all.publish(order(), key);
  await all.publish(signed(order(), theirs!), key);
  await until(() => all.untrusted() === 2);
  assert.equal(all.world.report().heldBy, undefined);
  await all.publish(signed(order(), ours!), key);
  await until(() => all.world.report().heldBy === "person");
});

test("rows, digests and waves of a user who is no transcriber are rejected", async () => {
  const dhcp = simulatedService();
  let user = "trigger-civet";
  const wrongTranscriber = () => (user === "trigger-civet" ? undefined : `it was sent by the broker user ${user}`);
  const world = hostScene(dhcp.definition, { wrongTranscriber });
  await world.say([["k", row("a", "10.0.0.1")]]);
  const host = world.up();
  await until(() => dhcp.served.size === 1);
  const before = world.facts()?.followed;
  user = "trigger-box";
  await world.say([["k", row("evil", "10.6.6.6")]]);
  await world.digest();
  await world.send({ trigger: 1, kind: "wave", service: "dhcp", epoch: 9, seq: 1 });
  await until(() => world.report().untrusted?.count === 3);
  assert.deepEqual(world.facts()?.followed, before);
  assert.equal(world.report().untrusted?.why, "it was sent by the broker user trigger-box");
  await host.down();
  world.end();
});
