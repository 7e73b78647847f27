import type { Channel } from "amqplib";
import type { Connection } from "./connection.ts";

/** Opens a channel. Its errors reach the call that waits for an answer, and otherwise show in its closing. */
export async function openChannel({ model }: Connection): Promise<Channel> {
  const channel = await model.createChannel();
  channel.on("error", () => {});
  return channel;
}

/** Closes a channel; returns too when its connection ends before the server has answered. */
export async function closeChannel(channel: Channel): Promise<void> {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  channel.once("close", resolve); // amqplib answers no closing that its connection cuts short
  // One that the server closed, or that went with its connection, says so by an error.
  await Promise.race([channel.close().catch(() => {}), closed]);
  channel.off("close", resolve);
}

/** True if the server answered with an error of this number (AMQP 0-9-1, section 1.2). */
export const isRefused = (error: unknown, code: number): boolean =>
  error instanceof Error && "code" in error && error.code === code;

/** Does a piece of work on a channel of its own: an error of the server closes its channel. */
export async function withChannel<T>(connection: Connection, work: (channel: Channel) => Promise<T>): Promise<T> {
  const channel = await openChannel(connection);
  try {
    return await work(channel);
  } finally {
    await closeChannel(channel);
  }
}
