import assert from "node:assert/strict";
import { connectBroker } from "../../src/daemon/broker.ts";
import { until } from "../until.ts";
import { publications, queues } from "./expected.ts";
import { projectOf } from "./project.ts";

/** The life of an embedded broker. */

/** Lives it in a state folder, up to the moment at which `meanwhile` is called: a consumer has a message in hand. */
export async function liveBroker(state: string, meanwhile: () => void): Promise<void> {
  const logged: string[] = [];
  await using broker = await connectBroker(projectOf(state), { log: (line) => void logged.push(line) });
  await broker.declare(Object.values(queues));
  for (const { key, body, messageId } of publications)
    await broker.publish(key, body, messageId === undefined ? {} : { messageId });
  const handed: string[] = [];
  const take = ({ body }: { readonly body: Uint8Array }) => void handed.push(new TextDecoder().decode(body));
  const ended = await broker.consume(queues.table.name, take, { prefetch: 1 });
  await until(() => handed.length === 1);
  await ended.close();
  await broker.consume(queues.plain.name, take, { prefetch: 1 });
  await until(() => handed.length === 2);
  meanwhile();
  assert.deepEqual(logged, []);
}
