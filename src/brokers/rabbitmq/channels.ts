import type { Channel } from "amqplib";
import { reason } from "../../core/util/errors.ts";
import { BrokerTrouble } from "../../ports/broker.ts";
import type { Connection } from "./connection.ts";

/** Opens a channel. Its errors reach the call that waits for an answer; any other error closes the channel. */
export async function openChannel({ model }: Connection): Promise<Channel> {
  const channel = await model.createChannel();
  channel.on("error", () => {});
  return channel;
}

/** Closes a channel; returns too when its connection ends before the server has answered. */
export async function closeChannel(channel: Channel): Promise<void> {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  channel.once("close", resolve); // amqplib never settles a closing that the end of the connection cuts short
  // A channel that the server or the end of its connection closed rejects with an error.
  await Promise.race([channel.close().catch(() => {}), closed]);
  channel.off("close", resolve);
}

/** True if the server answered with an error of this number (AMQP 0-9-1, section 1.2). */
export const isRefused = (error: unknown, code: number): boolean =>
  error instanceof Error && "code" in error && error.code === code;

/** Runs work on a channel of its own: an error of the server closes the channel. */
export async function withChannel<T>(connection: Connection, work: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = await openChannel(connection);
  try {
    return await work(channel);
  } finally {
    await closeChannel(channel);
  }
}

/** The error of a missing right, with the remedy: `what` is what the user may not do. */
export const noRight = (what: string, error: unknown): BrokerTrouble =>
  new BrokerTrouble(
    `no right to ${what}: run \`trigger permissions\`, and its script on a RabbitMQ node (${reason(error)})`,
  );
