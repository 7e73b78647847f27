import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import type { ConfirmChannel } from "amqplib";
import { QueueFull } from "../../ports/broker.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import type { Connection } from "./connection.ts";
import { publisher } from "./publish.ts";

/** A channel of a server whose confirms the test gives. */
class ScriptedChannel extends EventEmitter {
  readonly sent: { readonly text: string; readonly answer: (error?: Error) => void }[] = [];
  closed = false;
  publish(_exchange: string, _key: string, body: Buffer, _options: object, answer: (error?: Error) => void): boolean {
    this.sent.push({ text: body.toString(), answer });
    return true;
  }
  async close(): Promise<void> {
    this.closed = true;
    this.emit("close");
  }
}

async function scripted({ refusal, addresses = 1 }: { refusal?: Error; addresses?: number } = {}) {
  const channels: ScriptedChannel[] = [];
  const seenTo: string[] = [];
  const clock = virtualClock(0);
  const over = new AbortController();
  const outgoing = publisher({
    refused: async () => refusal ?? new Error("a queue of it is full or down"),
    unconfirmed: async (key) => void seenTo.push(`${key} at ${clock.monotonic()}`),
    ...{ unroutable: () => undefined, repair: async () => {}, addresses, clock, signal: over.signal },
  });
  const createConfirmChannel = async (): Promise<ConfirmChannel> => {
    const channel = new ScriptedChannel();
    channels.push(channel);
    return channel as unknown as ConfirmChannel;
  };
  const left: string[] = [];
  const connect = async (): Promise<void> => {
    const destroy = (why: string): void => {
      left.push(`${clock.monotonic()}: ${why}`);
      outgoing.lose(why);
    };
    const connection = { model: { createConfirmChannel }, ended: new Promise(() => {}), destroy };
    await outgoing.begin(connection as unknown as Connection);
  };
  await connect();
  const ended: string[] = [];
  const publish = (text: string): void => {
    outgoing.publish("q", text, undefined).then(
      () => ended.push(`${text} confirmed`),
      (error: Error) => ended.push(`${text}: ${error.message}`),
    );
  };
  return { clock, channels, publish, ended, seenTo, left, connect, outgoing, nack: new Error("message nacked") };
}

test("a channel that confirms nothing for ten seconds is replaced by another", async () => {
  const { clock, channels, publish, ended } = await scripted();
  publish("a");
  await clock.advance(9_000);
  publish("b");
  assert.deepEqual(ended, []);
  await clock.advance(1_000);
  const why = "the message to q was not confirmed, and may have arrived or not: no confirm of q came within 10 s";
  assert.deepEqual(ended, [`a: ${why}`, `b: ${why}`]);
  publish("c");
  assert.ok(channels[0]?.closed);
  assert.deepEqual(
    channels.map(({ sent }) => sent.map(({ text }) => text)),
    [["a", "b"], ["c"]],
  );
  channels[0]?.sent[0]?.answer(); // a late confirm of the old channel is ignored
  channels[1]?.sent[0]?.answer();
  await clock.advance(60_000);
  assert.deepEqual(ended.slice(2), ["c confirmed"]);
  assert.equal(channels.length, 2);
});

test("a queue unreachable over three channels is reported", async () => {
  const { clock, channels, publish, seenTo } = await scripted();
  for (const at of [0, 10_000, 20_000]) {
    publish(`of ${at}`);
    assert.deepEqual(seenTo, []);
    await clock.advance(10_000);
  }
  assert.deepEqual(seenTo, ["q at 30000"]);
  publish("through");
  channels.at(-1)?.sent[0]?.answer();
  publish("lost again");
  await clock.advance(10_000);
  assert.equal(seenTo.length, 1);
});

test("a slow line that makes progress is waited for", async () => {
  const { clock, channels, publish, ended } = await scripted();
  for (const text of ["a", "b", "c"]) publish(text);
  for (const { answer } of channels[0]?.sent ?? []) {
    await clock.advance(8_000);
    answer();
  }
  await clock.advance(0);
  assert.deepEqual(ended, ["a confirmed", "b confirmed", "c confirmed"]);
  assert.equal(channels.length, 1);
});

test("a message to a full queue fails, and its channel goes on", async () => {
  const { clock, channels, publish, ended, nack } = await scripted({ refusal: new QueueFull("q") });
  publish("a");
  channels[0]?.sent[0]?.answer(nack);
  await clock.advance(0);
  assert.equal(ended.length, 1);
  assert.equal(channels.length, 1);
});

test("a refused message is tried alone, and only a stale channel is replaced", async () => {
  for (const [answer, outcome, givenUp] of [
    ["refused", "a: a queue of it is full or down", false],
    ["taken", "a confirmed", true],
    ["silence", "a: a queue of it is full or down", true],
  ] as const) {
    const { clock, channels, publish, ended, nack } = await scripted();
    publish("a");
    publish("b");
    channels[0]?.sent[0]?.answer(nack);
    await clock.advance(0);
    assert.deepEqual(
      channels[1]?.sent.map(({ text }) => text),
      ["a"],
    );
    if (answer !== "silence") channels[1]?.sent[0]?.answer(answer === "refused" ? nack : undefined);
    await clock.advance(answer === "silence" ? 10_000 : 0);
    assert.equal(
      ended.find((one) => one.startsWith("a")),
      outcome,
    );
    assert.equal(channels[0]?.closed, givenUp, answer);
    assert.equal(channels[1]?.closed, true);
    assert.equal(
      ended.some((one) => one.startsWith("b")),
      givenUp,
    );
  }
});

test("a connection without confirms is left for another address, queues stay", async () => {
  const { clock, publish, seenTo, left, outgoing, connect, channels } = await scripted({ addresses: 2 });
  for (let sent = 0; sent < 3; sent++) {
    publish("a");
    assert.equal(outgoing.confirmWatch.silent, sent > 0);
    await clock.advance(10_000);
  }
  const why = "it confirmed nothing over 3 channels, like a node that is cut off from its cluster";
  assert.deepEqual(left, [`30000: ${why}`]);
  await connect();
  publish("b");
  channels.at(-1)?.sent[0]?.answer();
  publish("c");
  await clock.advance(30_000);
  assert.equal(outgoing.confirmWatch.silent, true);
  assert.equal(left.length, 1);
  assert.deepEqual(seenTo, []);
});

test("if no address confirms anything, the queue is recreated", async () => {
  const { clock, publish, seenTo, left, connect } = await scripted({ addresses: 2 });
  for (let sent = 0; sent < 6; sent++) {
    publish("a");
    const before = left.length;
    await clock.advance(10_000);
    if (left.length > before) await connect();
  }
  assert.equal(left.length, 2);
  publish("a");
  await clock.advance(10_000);
  assert.deepEqual(seenTo, ["q at 70000"]);
});

test("with one address the channels are renewed, and the connection stays", async () => {
  const { clock, publish, left, channels } = await scripted();
  for (let sent = 0; sent < 6; sent++) {
    publish("a");
    await clock.advance(10_000);
  }
  assert.deepEqual(left, []);
  assert.equal(channels.length, 7);
});
