import assert from "node:assert/strict";
import { type Channel, type ChannelModel, connect } from "amqplib";
import type { RabbitServer } from "./rabbitmq.ts";

/** The rights of a user of the server, tried without trigger between. */

export interface User {
  readonly name: string;
  readonly password: string;
}

export async function connectAs({ port }: RabbitServer, { name, password }: User): Promise<ChannelModel> {
  const model = await connect(`amqp://${name}:${password}@127.0.0.1:${port}`);
  model.on("error", () => {});
  return model;
}

/** Asserts that the server refuses an attempt of a user, for want of a right and for no other reason. */
export async function isRefused(
  server: RabbitServer,
  user: User,
  ...attempts: ((channel: Channel) => Promise<unknown>)[]
): Promise<void> {
  const model = await connectAs(server, user);
  try {
    for (const attempt of attempts) {
      const channel = await model.createChannel();
      channel.on("error", () => {});
      await assert.rejects(attempt(channel), /ACCESS.REFUSED/, `${user.name}: ${attempt}`);
    }
  } finally {
    await model.close();
  }
}

/**
 * Waits for the server's answer to a call that has none of its own: a refusal closes the channel before the next
 * answer.
 */
export async function confirmed(channel: Channel, act: (channel: Channel) => unknown): Promise<void> {
  const refusal = new Promise<never>((_, reject) => channel.once("error", reject));
  act(channel);
  await Promise.race([refusal, channel.checkExchange("trigger").then(() => {})]).catch(async (error) => {
    throw await Promise.race([refusal, Promise.resolve(error)]).catch((cause) => cause);
  });
}
