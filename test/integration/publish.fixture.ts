import { createInterface } from "node:readline";
import { sqliteBroker } from "../../src/brokers/sqlite/broker.ts";

/** A process that publishes each line that it reads, and says when it is accepted; it takes and acknowledges what it published. */

const [file = ""] = process.argv.slice(2);
const broker = await sqliteBroker(file, { log: () => {} });
const limit = { messages: 100, bytes: 1e6, beyond: "refuse" } as const;
await broker.declare([{ name: "queue", keys: ["key"], limit }]);
await broker.consume("queue", ({ ack }) => ack(), { prefetch: 10 });
process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  await broker.publish("key", line);
  process.stdout.write(`accepted ${line}\n`);
}
await broker.close();
