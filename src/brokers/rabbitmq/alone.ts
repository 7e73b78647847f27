import type { Options } from "amqplib";
import type { Clock } from "../../ports/clock.ts";
import { closeChannel } from "./channels.ts";
import type { Connection } from "./connection.ts";

interface Message {
  readonly exchange: string;
  readonly key: string;
  readonly body: Buffer;
  readonly options: Options.Publish;
}

/** Publishes one message over a new channel without earlier state. Returns undefined if no confirm comes in time. */
export async function publishAlone(
  { model }: Connection,
  { exchange, key, body, options }: Message,
  { clock, signal, timeout }: { clock: Clock; signal: AbortSignal; timeout: number },
): Promise<"taken" | "refused" | undefined> {
  const answered = new AbortController();
  const silence = clock.sleep(timeout, AbortSignal.any([answered.signal, signal])).then(() => undefined);
  try {
    const channel = await model.createConfirmChannel();
    channel.on("error", () => {}); // an error ends the channel, which the caller notices
    const answer = new Promise<"taken" | "refused" | undefined>((resolve) => {
      channel.on("close", () => resolve(undefined));
      channel.publish(exchange, key, body, options, (error: unknown) => {
        if (!error || isRefusal(error)) resolve(error ? "refused" : "taken");
      });
    });
    const said = await Promise.race([answer, silence]);
    void closeChannel(channel);
    return said;
  } catch {
    return undefined; // the connection has ended, and its owner has the reason
  } finally {
    answered.abort();
  }
}

/** Tells a negative confirm from a channel that was closed, by the text of amqplib's error. */
export const isRefusal = (error: unknown): boolean => error instanceof Error && error.message === "message nacked";
