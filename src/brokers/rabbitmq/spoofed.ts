import type { ConsumeMessage } from "amqplib";

/**
 * The way in which a message bypassed the rights of its publisher; undefined if it did not. RabbitMQ checks the right
 * to the routing key alone. It checks neither the keys in the headers CC and BCC, nor the key under which a queue
 * publishes its dead letters.
 */
export function spoofed(
  { fields, properties }: ConsumeMessage,
  keys: readonly string[] | undefined,
): string | undefined {
  // A copy for CC or BCC still shows the key of the publish.
  if (keys && !keys.includes(fields.routingKey)) return `it was published as ${JSON.stringify(fields.routingKey)}`;
  const headers: Readonly<Record<string, unknown>> = properties.headers ?? {};
  if ("x-death" in headers) return "it is a dead letter of another queue";
  return undefined;
}
