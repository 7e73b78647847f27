import type { ConsumeMessage } from "amqplib";

/**
 * The way in which a message came past the rights of its publisher; undefined if it did not. RabbitMQ asks for the
 * right to the key of a message alone. It asks neither for those of its headers CC and BCC, nor for the key under which
 * a queue hands on its dead letters.
 */
export function spoofed(
  { fields, properties }: ConsumeMessage,
  keys: readonly string[] | undefined,
): string | undefined {
  // A copy that is made for CC or BCC still shows the key that was asked for.
  if (keys && !keys.includes(fields.routingKey)) return `it was published as ${JSON.stringify(fields.routingKey)}`;
  const headers: Readonly<Record<string, unknown>> = properties.headers ?? {};
  if ("x-death" in headers) return "it is a dead letter of another queue";
  return undefined;
}
