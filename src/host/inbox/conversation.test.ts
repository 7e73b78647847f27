import assert from "node:assert/strict";
import { test } from "node:test";
import { plainService, row, simulatedService } from "../../../test/fixtures/host.ts";
import { storeOf, told } from "../../../test/fixtures/host-parts.ts";
import { until } from "../../../test/until.ts";
import type { Service } from "../../core/service/service.ts";
import { hostKey, queueName, queueOf } from "../../core/stream/routing.ts";
import { Unusable } from "../../sqlite/integrity.ts";
import { memoryHub } from "../../testing/memory-broker.ts";
import { waitingLimit } from "../store/messages.ts";
import { Conversation, type ConversationInputs } from "./conversation.ts";

/** A conversation that listens, over a store without runs; the test plays its transcriber. */
async function listening(service: Service, inputs: Partial<ConversationInputs> = {}) {
  const parts = storeOf(service);
  const { inbox, context, clock } = parts;
  const hub = memoryHub();
  const transcriber = hub.connect();
  const said: { kind: string; want?: unknown; refused?: number }[] = [];
  let batches = 0;
  await transcriber.declare([queueOf("civet", "report", "report")]);
  await transcriber.consume(
    queueName("civet", "report"),
    ({ body, ack }) => {
      said.push(JSON.parse(new TextDecoder().decode(body)));
      ack();
    },
    { prefetch: 100 },
  );
  const conversation = new Conversation({
    ...{ host: "a", inbox, clock, signal: context.signal, log: context.log, compareDaemon: undefined },
    recompute: () => Promise.resolve(),
    stored: () => void batches++,
    onReportChanged() {},
    ...inputs,
  });
  await conversation.listen(hub.connect());
  const waits = () => hub.look(conversation.queue.name).length;
  return {
    ...{ ...parts, conversation, said, waits, ...told() },
    batches: () => batches,
    wants: () => said.flatMap(({ want }) => (want === undefined ? [] : [want])),
    send: (message: object) => transcriber.publish(hostKey("dhcp", "a"), JSON.stringify(message)),
    async [Symbol.asyncDispose]() {
      await conversation.close();
      await parts.end();
    },
  };
}

test("a conversation about a table begins with a question, asked until an answer comes", async () => {
  await using all = await listening(simulatedService().definition);
  await until(() => all.wants().length === 1);
  await all.clock.advance(5_000);
  await until(() => all.wants().length === 2);
  assert.deepEqual(all.wants(), ["digest", "digest"]);
  await all.send(all.digest());
  await until(() => all.facts()?.followed.equal !== undefined);
  await all.clock.advance(120_000);
  assert.equal(all.wants().length, 2);
});

test("a message that is not taken is answered with a refusal", async () => {
  await using all = await listening(simulatedService().definition);
  const [newer = {}] = told("dhcp", 8).rows([["k", row("a", "10.0.0.1")]]);
  await all.send(newer);
  for (const message of all.rows([["k", row("b", "10.0.0.1")]])) await all.send(message);
  await until(() => all.said.some(({ kind }) => kind === "refusal"));
  assert.equal(all.said.find(({ kind }) => kind === "refusal")?.refused, 1);
});

test("a verify asks for a comparison after the digest was recomputed", async () => {
  const made = Promise.withResolvers<void>();
  await using all = await listening(simulatedService().definition, { recompute: () => made.promise });
  await all.send(all.digest());
  await until(() => all.batches() === 1);
  const before = all.wants().length;
  all.conversation.verify(7);
  assert.equal(all.wants().length, before);
  made.resolve();
  await until(() => all.wants().length === before + 1);
  await all.send(all.digest());
  const verified = () => all.database.prepare("SELECT asked, differed FROM verified").get();
  await until(() => verified() !== undefined);
  assert.deepEqual({ ...verified() }, { asked: 7, differed: 0 });
});

test("a verify that cannot read the rows is logged, or ends a damaged store", async () => {
  const errors = [new Error("the disk does not answer"), new Unusable("malformed")];
  await using all = await listening(simulatedService().definition, {
    recompute: () => Promise.reject(errors.shift()),
  });
  all.conversation.verify(7);
  await until(() => all.logged.includes("its rows could not be read: the disk does not answer"));
  all.conversation.verify(8);
  await assert.rejects(all.conversation.damaged, Unusable);
});

test("a long repair logs its progress every five seconds", async () => {
  await using all = await listening(simulatedService().definition);
  const progress = () => all.logged.filter((line) => line.startsWith("the table: ")).length;
  all.rows(Array.from({ length: 100 }, (_, n): [string, string] => [`k${n}`, row(`n${n}`, `10.0.0.${n}`)]));
  await all.send(all.digest({ buckets: true }));
  await until(() => all.batches() === 1);
  assert.equal(progress(), 0);
  await all.clock.advance(5_000);
  for (const from of [0, 1, 2]) {
    await all.send(all.part(from, from + 1));
    await until(() => all.batches() === from + 2);
  }
  assert.equal(progress(), 1);
});

test("a message that failed to be stored is tried again a second later", async () => {
  await using all = await listening(simulatedService().definition);
  all.database.exec("CREATE TRIGGER full BEFORE INSERT ON row BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
  for (const message of all.rows([["k", row("a", "10.0.0.1")]])) await all.send(message);
  await until(() => all.logged.includes("received messages could not be stored: the disk is full"));
  assert.equal(all.waits(), 1);
  all.database.exec("DROP TRIGGER full");
  await all.clock.advance(1000);
  await until(() => all.waits() === 0);
  assert.equal(all.facts()?.followed.mark?.seq, 1);
});

test("damage to the store that a message reveals is announced", async () => {
  await using all = await listening(simulatedService().definition);
  all.rows([["k", row("a", "10.0.0.1")]]);
  for (const message of all.rows([["l", row("b", "10.0.0.2")]])) await all.send(message);
  await until(() => all.conversation.inDoubt);
  all.damage();
  await all.send(all.part(0, 2 ** 32));
  await all.send(all.digest());
  await assert.rejects(all.conversation.damaged, Unusable);
});

test("plain messages beyond the limit stay in the queue until there is room", async () => {
  await using all = await listening(plainService().definition);
  for (let n = 0; n <= waitingLimit; n++) await all.send({ n });
  const { messages } = all.store;
  await until(() => messages.waiting() === waitingLimit);
  assert.equal(all.waits(), 1);
  const next = messages.next();
  assert.ok(next);
  messages.done(next);
  all.conversation.poke();
  await until(() => all.waits() === 0);
});
