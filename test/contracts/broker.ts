import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { type Broker, type Delivery, type Limit, QueueFull, QueueInUse } from "../../src/ports/broker.ts";
import { until } from "../until.ts";

/** A store of messages to which several brokers may connect, each as a process of its own would. */
export interface BrokerWorld extends AsyncDisposable {
  connect(): Promise<Broker>;
}

type Bound = Pick<Limit, "messages" | "bytes">;

const roomy: Limit = { messages: 1_000, bytes: 1_000_000, beyond: "refuse" };
const text = ({ body }: { body: Uint8Array }): string => new TextDecoder().decode(body);

/**
 * The contract of every broker; each implementation runs it. `except` names the claims that one cannot keep, with the
 * reason: their tests are left out.
 */
export function brokerContract(
  name: string,
  open: () => Promise<BrokerWorld>,
  { except = {} }: { readonly except?: Readonly<Record<string, string>> } = {},
): void {
  const broken = new Set(Object.keys(except));
  const claim = (what: string, check: (world: BrokerWorld, queue: string) => Promise<void>): void => {
    if (broken.delete(what)) return;
    test(`${name}: ${what}`, async () => {
      await using world = await open();
      await check(world, `q-${randomUUID()}`);
    });
  };

  claim("a queue delivers messages in the order of the calls, awaited or not", async (world, queue) => {
    await using broker = closing(await world.connect());
    await broker.declare([{ name: queue, keys: [queue], limit: roomy }]);
    for (let n = 0; n < 10; n++) await broker.publish(queue, `${n}`);
    await Promise.all(numbers(10, 50).map((n) => broker.publish(queue, n)));
    const got = await collect(broker, queue);
    await until(() => got.length === 50);
    assert.deepEqual(got.map(text), numbers(0, 50));
  });

  claim("a message of another connection reaches a waiting consumer", async (world, queue) => {
    await using consumer = closing(await world.connect());
    await using publisher = closing(await world.connect());
    await consumer.declare([{ name: queue, keys: [queue], limit: roomy }]);
    const got = await collect(consumer, queue);
    await publisher.publish(queue, "hello");
    await until(() => got.length === 1);
    assert.deepEqual([text(got[0]!), got[0]?.key, got[0]?.redelivered], ["hello", queue, false]);
  });

  claim(
    "unacknowledged messages survive the departure of every client and are delivered again",
    async (world, queue) => {
      const before = await world.connect();
      await before.declare([{ name: queue, keys: [queue], limit: roomy }]);
      await publishAll(before, queue, numbers(0, 5));
      const first = await collect(before, queue, { ack: (delivery) => text(delivery) === "0" });
      await until(() => first.length === 5);
      await before.close();
      await using after = closing(await world.connect());
      const got = await collect(after, queue);
      await until(() => got.length === 4);
      assert.deepEqual(got.map(text), numbers(1, 5));
    },
  );

  claim("a queue gets the messages of its keys, and of no other key", async (world, queue) => {
    await using broker = closing(await world.connect());
    await broker.declare([{ name: queue, keys: [`${queue}.a`, `${queue}.b`], limit: roomy }]);
    await broker.publish(`${queue}.a`, "a");
    await broker.publish(queue, "prefix of a key");
    await broker.publish(`${queue}.a.b`, "longer than a key");
    await broker.publish(`${queue}.b`, "b");
    const got = await collect(broker, queue);
    await until(() => got.length === 2);
    assert.deepEqual(
      got.map(({ key, body }) => [key, text({ body })]),
      [
        [`${queue}.a`, "a"],
        [`${queue}.b`, "b"],
      ],
    );
  });

  claim("two queues of one key each get the message", async (world, queue) => {
    await using broker = closing(await world.connect());
    const names = [`${queue}-1`, `${queue}-2`];
    await broker.declare(names.map((name) => ({ name, keys: [queue], limit: roomy })));
    await broker.publish(queue, "to both");
    for (const name of names) {
      const got = await collect(broker, name);
      await until(() => got.length === 1);
      assert.equal(text(got[0]!), "to both");
    }
  });

  claim("a message that no queue wants is no error", async (world, queue) => {
    await using broker = closing(await world.connect());
    await broker.publish(queue, "no consumer");
  });

  claim("a second declaration changes nothing, and may add a key", async (world, queue) => {
    await using broker = closing(await world.connect());
    await broker.declare([{ name: queue, keys: [queue], limit: roomy }]);
    await broker.publish(queue, "1");
    await broker.declare([{ name: queue, keys: [queue, `${queue}.more`], limit: roomy }]);
    await broker.publish(queue, "2");
    await broker.publish(`${queue}.more`, "3");
    const got = await collect(broker, queue);
    await until(() => got.length === 3);
    assert.deepEqual(got.map(text), ["1", "2", "3"]);
  });

  claim("a queue that exists with another limit keeps it", async (world, queue) => {
    await using broker = closing(await world.connect());
    const tight: Limit = { messages: 1, bytes: 1_000, beyond: "refuse" };
    await broker.declare([{ name: queue, keys: [queue], limit: tight }]);
    await broker.declare([{ name: queue, keys: [queue], limit: roomy }]);
    await broker.publish(queue, "1");
    await assert.rejects(broker.publish(queue, "2"), QueueFull);
  });

  claim("a removed queue loses its messages and gets no more", async (world, queue) => {
    await using broker = closing(await world.connect());
    const [gone, stays] = [`${queue}-gone`, `${queue}-stays`];
    await broker.declare([gone, stays].map((name) => ({ name, keys: [queue], limit: roomy })));
    await broker.publish(queue, "before");
    assert.deepEqual(await broker.remove([gone, `${queue}-never-there`]), [gone]);
    assert.deepEqual(await broker.remove([gone]), [], "the second time there is nothing to remove");
    await broker.publish(queue, "between");
    await assert.rejects(collect(broker, gone), new RegExp(gone));
    await broker.declare([{ name: gone, keys: [queue], limit: roomy }]);
    await broker.publish(queue, "after");
    const [again, other] = [await collect(broker, gone), await collect(broker, stays)];
    await until(() => again.length === 1 && other.length === 3);
    assert.deepEqual(again.map(text), ["after"]);
    assert.deepEqual(other.map(text), ["before", "between", "after"]);
  });

  claim("removal spares a queue with a consumer, and the others of the call", async (world, queue) => {
    await using host = closing(await world.connect());
    await using person = closing(await world.connect());
    const [used, idle] = [`${queue}-used`, `${queue}-idle`];
    await host.declare([used, idle].map((name) => ({ name, keys: [queue], limit: roomy })));
    const got = await collect(host, used);
    await host.publish(queue, "1");
    await until(() => got.length === 1);
    await assert.rejects(person.remove([idle, used]), (error) => error instanceof QueueInUse && error.queue === used);
    await person.publish(queue, "2");
    const there = await collect(person, idle);
    await until(() => got.length === 2 && there.length === 2);
  });

  claim("names and keys are data", async (world, queue) => {
    await using broker = closing(await world.connect());
    const odd = `${queue} '";--é${"x".repeat(80)}`;
    await broker.declare([{ name: odd, keys: [odd], limit: roomy }]);
    await broker.publish(odd, "odd");
    const got = await collect(broker, odd);
    await until(() => got.length === 1);
    assert.equal(got[0]?.key, odd);
  });

  claim("a body is bytes, and comes with its messageId where it has one", async (world, queue) => {
    await using broker = closing(await world.connect());
    await broker.declare([{ name: queue, keys: [queue], limit: roomy }]);
    const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);
    await broker.publish(queue, bytes, { messageId: "id-1" });
    await broker.publish(queue, new Uint8Array());
    await broker.publish(queue, "é\0ü");
    const got = await collect(broker, queue);
    await until(() => got.length === 3);
    assert.deepEqual(
      got.map(({ body }) => Buffer.from(body).toString("hex")),
      [Buffer.from(bytes).toString("hex"), "", Buffer.from("é\0ü").toString("hex")],
    );
    assert.deepEqual(
      got.map(({ messageId }) => messageId),
      ["id-1", undefined, undefined],
    );
  });

  claim("a consumer has no more than prefetch in hand, and each acknowledgement makes room", async (world, queue) => {
    await using broker = closing(await world.connect());
    await broker.declare([{ name: queue, keys: [queue], limit: roomy }]);
    await publishAll(broker, queue, numbers(0, 9));
    let inHand = 0;
    let most = 0;
    const got: Delivery[] = [];
    await broker.consume(
      queue,
      (delivery) => {
        got.push(delivery);
        most = Math.max(most, ++inHand);
      },
      { prefetch: 3 },
    );
    await until(() => got.length === 3);
    for (let acked = 0; acked < 9; acked++) {
      await until(() => got.length === Math.min(9, 3 + acked));
      inHand--;
      got[acked]?.ack();
    }
    assert.equal(most, 3);
    assert.deepEqual(got.map(text), numbers(0, 9));
  });

  claim(
    "unacknowledged messages of a closed consumer return to the head in order, marked redelivered",
    async (world, queue) => {
      await using first = closing(await world.connect());
      await using second = closing(await world.connect());
      await first.declare([{ name: queue, keys: [queue], limit: roomy }]);
      await publishAll(first, queue, numbers(0, 6));
      const got: Delivery[] = [];
      const consumer = await first.consume(queue, (delivery) => void got.push(delivery), { prefetch: 4 });
      await until(() => got.length === 4);
      got[1]?.ack();
      await until(() => got.length === 5);
      await consumer.close();
      got[0]?.ack(); // too late: it went back
      const again = await collect(second, queue);
      await until(() => again.length === 5);
      assert.deepEqual(again.map(text), ["0", "2", "3", "4", "5"]);
      assert.deepEqual(
        again.slice(0, 4).map(({ redelivered }) => redelivered),
        [true, true, true, true],
      );
    },
  );

  claim("acknowledging twice takes one message", async (world, queue) => {
    await using broker = closing(await world.connect());
    await broker.declare([{ name: queue, keys: [queue], limit: roomy }]);
    await publishAll(broker, queue, numbers(0, 3));
    const got: Delivery[] = [];
    await broker.consume(queue, (delivery) => void got.push(delivery), { prefetch: 1 });
    for (let n = 0; n < 3; n++) {
      await until(() => got.length === n + 1);
      got[n]?.ack();
      got[n]?.ack();
    }
    assert.deepEqual(got.map(text), numbers(0, 3));
  });

  claim("one consumer at a time reads a queue, and the next takes over", async (world, queue) => {
    await using first = closing(await world.connect());
    await using second = closing(await world.connect());
    await first.declare([{ name: queue, keys: [queue], limit: roomy }]);
    const early: Delivery[] = [];
    const consumer = await first.consume(queue, (delivery) => void early.push(delivery), { prefetch: 1 });
    const late = await collect(second, queue);
    await publishAll(first, queue, ["1", "2", "3"]);
    await until(() => early.length === 1);
    early[0]?.ack();
    await until(() => early.length === 2);
    assert.equal(late.length, 0);
    await consumer.close();
    await until(() => late.length === 2);
    assert.deepEqual(late.map(text), ["2", "3"]);
  });

  claim("consuming a missing queue is an error, also after its removal", async (world, queue) => {
    await using broker = closing(await world.connect());
    const absent = new RegExp(`^Error: queue ${queue} cannot be consumed: it is not there$`);
    await assert.rejects(collect(broker, queue), absent);
    await broker.declare([{ name: queue, keys: [queue], limit: { messages: 9, bytes: 1_000, beyond: "drop" } }]);
    await broker.remove([queue]);
    await assert.rejects(collect(broker, queue), absent);
  });

  const long = (body: string): string => body.padEnd(1_000);
  // RabbitMQ counts some 30 bytes of properties with each body from 4.3 on: three bodies that may stay must not fill
  // the limit.
  const bounds: [what: string, dropping: Bound, refusing: Bound, bodyOf: (text: string) => string][] = [
    ["messages", { messages: 3, bytes: 1_000 }, { messages: 3, bytes: 1_000 }, (body) => body],
    ["bytes", { messages: 1_000, bytes: 3_500 }, { messages: 1_000, bytes: 3_000 }, long],
  ];
  for (const [what, dropping, refusing, bodyOf] of bounds) {
    claim(`a drop-head queue with too many ${what} retains the newest`, async (world, queue) => {
      await using broker = closing(await world.connect());
      await broker.declare([{ name: queue, keys: [queue], limit: { ...dropping, beyond: "drop" } }]);
      await publishAll(broker, queue, numbers(0, 8).map(bodyOf));
      const got = await collect(broker, queue);
      await until(() => got.length === 3);
      assert.deepEqual(got.map(text), ["5", "6", "7"].map(bodyOf));
    });

    claim(`a refusing queue reports too many ${what}, and accepts messages once it has room`, async (world, queue) => {
      await using broker = closing(await world.connect());
      await broker.declare([{ name: queue, keys: [queue], limit: { ...refusing, beyond: "refuse" } }]);
      await publishAll(broker, queue, ["0", "1", "2"].map(bodyOf));
      await assert.rejects(
        broker.publish(queue, bodyOf("3")),
        (error) => error instanceof QueueFull && error.queue === queue,
      );
      const got = await collect(broker, queue);
      await until(() => got.length === 3);
      await until(async () => {
        try {
          await broker.publish(queue, bodyOf("4"));
          return true;
        } catch (error) {
          if (error instanceof QueueFull) return false; // the acknowledgements are on their way
          throw error;
        }
      });
      await until(() => got.length === 4);
      assert.deepEqual(got.map(text), ["0", "1", "2", "4"].map(bodyOf));
    });
  }

  claim("a message that waits longer than its queue allows is dropped", async (world, queue) => {
    await using broker = closing(await world.connect());
    const [short, long] = [`${queue}-short`, `${queue}-long`];
    await broker.declare([
      { name: short, keys: [queue], limit: { messages: 9, bytes: 1_000, beyond: "drop", lifetime: 200 } },
      { name: long, keys: [queue], limit: { messages: 9, bytes: 1_000, beyond: "drop" } },
    ]);
    await broker.publish(queue, "late");
    const published = Date.now();
    await until(() => Date.now() > published + 400);
    const [ofShort, ofLong] = [await collect(broker, short), await collect(broker, long)];
    await broker.publish(queue, "in time");
    await until(() => ofShort.length > 0 && ofLong.length > 1);
    assert.deepEqual([ofShort.map(text), ofLong.map(text)], [["in time"], ["late", "in time"]]);
  });

  claim("a message that one queue refuses is in no other", async (world, queue) => {
    await using broker = closing(await world.connect());
    const [full, free] = [`${queue}-full`, `${queue}-free`];
    await broker.declare([
      { name: full, keys: [queue], limit: { messages: 1, bytes: 1_000, beyond: "refuse" } },
      { name: free, keys: [queue, free], limit: roomy },
    ]);
    await broker.publish(queue, "taken");
    await assert.rejects(broker.publish(queue, "refused"), QueueFull);
    await broker.publish(free, "after");
    const got = await collect(broker, free);
    await until(() => got.length === 2);
    assert.deepEqual(got.map(text), ["taken", "after"]);
  });

  claim("calls beside a refused one succeed", async (world, queue) => {
    await using broker = closing(await world.connect());
    const [full, free] = [`${queue}-full`, `${queue}-free`];
    await broker.declare([
      { name: full, keys: [full], limit: { messages: 1, bytes: 1_000, beyond: "refuse" } },
      { name: free, keys: [free], limit: roomy },
    ]);
    await broker.publish(full, "taken");
    const results = await Promise.allSettled([
      broker.publish(free, "before"),
      broker.publish(full, "refused"),
      broker.publish(free, "after"),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled"],
    );
    const got = await collect(broker, free);
    await until(() => got.length === 2);
    assert.deepEqual(got.map(text), ["before", "after"]);
  });

  claim("exactly one candidate is active, and another takes over when it leaves", async (world, queue) => {
    const brokers = await Promise.all([world.connect(), world.connect(), world.connect()]);
    const active = new Set<number>();
    const history: string[] = [];
    const candidates = [];
    for (const [n, broker] of brokers.entries()) {
      candidates.push(
        await broker.campaign(queue, (isActive) => {
          history.push(`${n} ${isActive}`);
          if (isActive) active.add(n);
          else active.delete(n);
          assert.ok(active.size <= 1, `active at once: ${[...active]}`);
        }),
      );
      await until(() => active.size === 1);
    }
    assert.deepEqual([...active], [0]);
    await candidates[0]?.close();
    await until(() => active.size === 1 && !active.has(0));
    const [second] = [...active];
    await brokers[second!]?.close();
    await until(() => active.size === 1 && !active.has(second!));
    assert.ok(history.includes(`${second} false`), "a candidate that closes is told that it is active no longer");
    for (const broker of brokers) await broker.close();
    assert.equal(active.size, 0);
  });

  claim("elections of two names are independent", async (world, queue) => {
    await using broker = closing(await world.connect());
    const active: string[] = [];
    for (const name of ["a", "b"])
      await broker.campaign(`${queue}-${name}`, (isActive) => isActive && active.push(name));
    await until(() => active.length === 2);
  });

  claim("closing twice is closing once, also for consumers, and a closed broker throws", async (world, queue) => {
    const broker = await world.connect();
    await broker.declare([{ name: queue, keys: [queue], limit: roomy }]);
    assert.equal(broker.trouble(), undefined);
    const consumer = await broker.consume(queue, () => {}, { prefetch: 1 });
    await consumer.close();
    await consumer.close();
    await Promise.all([broker.close(), broker.close()]);
    await broker.close();
    await consumer.close();
    await assert.rejects(broker.publish(queue, "too late"), /closed/);
    await assert.rejects(
      broker.consume(queue, () => {}, { prefetch: 1 }),
      /closed/,
    );
  });

  claim("a broker that is closed leaves no handle open", async (world, queue) => {
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve)); // earlier ones are gone
    const before = handles();
    const broker = await world.connect();
    await broker.declare([{ name: queue, keys: [queue], limit: roomy }]);
    await collect(broker, queue);
    await broker.campaign(queue, () => {});
    await broker.publish(queue, "x");
    await broker.close();
    await until(() => handles() === before);
  });

  if (broken.size > 0) throw new Error(`${name} makes an exception of what is no claim: ${[...broken].join("; ")}`);
}

/** Consumes into an array, and acknowledges at once the deliveries that `ack` selects. */
async function collect(
  broker: Broker,
  queue: string,
  { ack = (_: Delivery): boolean => true } = {},
): Promise<Delivery[]> {
  const got: Delivery[] = [];
  const take = (delivery: Delivery): void => {
    got.push(delivery);
    if (ack(delivery)) delivery.ack();
  };
  await broker.consume(queue, take, { prefetch: 100 });
  return got;
}

const publishAll = async (broker: Broker, key: string, bodies: string[]): Promise<void> => {
  for (const body of bodies) await broker.publish(key, body);
};

const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, n) => `${from + n}`);

const closing = (broker: Broker): Broker & AsyncDisposable =>
  Object.assign(broker, { [Symbol.asyncDispose]: () => broker.close() });

/** The handles that keep this process alive. */
const handles = (): string => process.getActiveResourcesInfo().sort().join();
