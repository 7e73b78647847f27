import assert from "node:assert/strict";
import { test } from "node:test";
import { readAddress, redact } from "./credentials.ts";
import { queueArguments } from "./queue-arguments.ts";

test("an address is parsed, and shown without its password", () => {
  const target = readAddress({ url: "amqps://dhcp1:p%40ss@[::1]/a%2Fb" });
  const { name, secure, hostname, port, vhost, username } = target;
  assert.deepEqual(
    { name, secure, hostname, port, vhost, username },
    {
      name: "amqps://dhcp1@[::1]:5671/a%2Fb",
      secure: true,
      hostname: "::1",
      port: 5671,
      vhost: "a/b",
      username: "dhcp1",
    },
  );
  assert.equal(target.secrets().password, "p@ss");
  assert.equal(readAddress({ url: "amqp://mq", password: "given" }).secrets().password, "given");
});

test("an unreadable address is refused without being shown", () => {
  for (const url of ["amqp://u:s3cret@mq:port", "nonsense s3cret", "http://u:s3cret@mq", "amqp://u:s3cret%zz@mq"]) {
    try {
      readAddress({ url }).secrets();
      assert.fail(url);
    } catch (error) {
      assert.doesNotMatch(`${error}${JSON.stringify(error)}`, /s3cret/);
    }
  }
});

test("a password sent in clear across a network is noticed", () => {
  for (const url of ["amqp://mq.campus.example", "amqp://127.mq.example"])
    assert.equal(readAddress({ url }).inClear, true, url);
  for (const url of ["amqps://mq.campus.example", "amqp://localhost", "amqp://127.0.0.1", "amqp://[::1]"])
    assert.equal(readAddress({ url }).inClear, false, url);
});

test("secrets are masked in a text, also in the encoding of a url", () => {
  assert.equal(redact("a p@ss, b p%40ss", ["p@ss"]), "a ********, b ********");
  assert.equal(redact("nothing", [""]), "nothing");
});

test("the limit of deliveries is lifted where RabbitMQ has one that -1 lifts", () => {
  const queue = { name: "q", keys: [], limit: { messages: 10, bytes: 100, beyond: "drop" } } as const;
  const limitAt = (version: string, type: "quorum" | "classic" = "quorum") =>
    queueArguments(queue, type, { product: "RabbitMQ", version })["x-delivery-limit"];
  assert.deepEqual(
    [limitAt("3.10.8"), limitAt("3.13.0"), limitAt("4.0.1"), limitAt("10.0.0")],
    [undefined, undefined, -1, -1],
  );
  assert.equal(limitAt("4.0.1", "classic"), undefined);
});

test("RabbitMQ 4.3 leaves the consumer of a lost node after a second", () => {
  const queue = { name: "q", keys: [], limit: { messages: 10, bytes: 100, beyond: "drop" } } as const;
  const waits = (version: string, type: "quorum" | "classic" = "quorum") =>
    queueArguments(queue, type, { product: "RabbitMQ", version })["x-consumer-disconnected-timeout"];
  assert.deepEqual(
    ["3.13.0", "4.0.5", "4.2.9", "4.3.0", "4.10.1", "5.0.0"].map((version) => waits(version)),
    [undefined, undefined, undefined, 1000, 1000, 1000],
  );
  assert.equal(waits("4.3.0", "classic"), undefined);
});
