import type { ConsumeMessage } from "amqplib";
import { z } from "zod";
import { protocolVersion } from "../../core/stream/messages.ts";
import { exchange, reportService, serviceKey, wrongServiceName } from "../../core/stream/routing.ts";
import { reason } from "../../core/util/errors.ts";
import { readJson } from "../../core/util/json.ts";
import { onceEach } from "../../core/util/once-each.ts";
import { plainLine } from "../../core/util/shown.ts";
import type { Clock } from "../../ports/clock.ts";
import { closeChannel, openChannel } from "./channels.ts";
import type { Connection } from "./connection.ts";
import { throttle } from "./throttle.ts";
import type { Topology } from "./topology.ts";

/**
 * Requests for queues: a host without the right to make its queues sends them to the transcribers, under the key of
 * reports.
 */

/** The property `type` of a message that requests a queue. */
const askType = "queue";

/** The largest request, in bytes; the longest name of a queue has 255. A larger one is rejected unread. */
const longest = 1_000;

/** The fault of a requested queue: it is missing, or it delivers nothing and is recreated. */
export type Fault = "gone" | "silent";

export const queueMessage = z.object({
  trigger: z.literal(protocolVersion),
  kind: z.literal("queue"),
  queue: z.string(),
  fault: z.enum(["gone", "silent"]),
});

/** The key of the requests. */
export const askKey = serviceKey(reportService);

/** Requests a queue, as the user of the connection. The request may be lost: it is repeated while the fault lasts. */
export async function askFor(queue: string, fault: Fault, user: string, publishing: Connection): Promise<void> {
  const channel = await openChannel(publishing);
  const body: z.infer<typeof queueMessage> = { trigger: protocolVersion, kind: "queue", queue, fault };
  channel.publish(exchange, askKey, Buffer.from(JSON.stringify(body)), { type: askType, userId: user });
  await closeChannel(channel);
}

interface AnswerOptions {
  readonly declared: Topology;
  readonly recreate: (connection: Connection, name: string) => Promise<void>;
  readonly consuming: () => Connection | undefined;
  /** True if this broker object belongs to the active transcriber. Two would delete each other's new queues. */
  readonly isActive: () => boolean;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

/** Handles the requests of hosts for queues. The function returns true for a message that is a request. */
export function answerAsks({ declared, recreate, consuming, isActive, clock, log }: AnswerOptions) {
  const underWay = new Set<string>();
  const rest = new Map<string, () => boolean>();
  const say = onceEach(log, clock.monotonic);

  async function answer(connection: Connection, { queue, fault }: z.infer<typeof queueMessage>): Promise<void> {
    if (fault === "gone") {
      const there = await declared.look(connection, queue).catch(() => undefined);
      if (there) return;
      await declared.restore(connection, queue);
      return log(`queue ${queue} was missing: declared for its host`);
    }
    // Deleting a queue can cost the connection, so a host cannot request it at will.
    const isDue = rest.get(queue) ?? throttle(clock);
    rest.set(queue, isDue);
    if (isActive() && isDue()) await recreate(connection, queue);
  }

  function take(message: ConsumeMessage): void {
    if (message.content.length > longest)
      throw new Error(`it has ${message.content.length} bytes, the limit is ${longest}`);
    const read = queueMessage.parse(readJson(message.content));
    const { queue } = read;
    const user: unknown = message.properties.userId;
    if (!isOwnQueue(queue, user))
      throw new Error(`queue ${queue} is requested by ${sayUser(user)}, which does not own it`);
    const connection = consuming();
    if (declared.keysOf(queue) === undefined || !connection || underWay.has(queue)) return;
    underWay.add(queue);
    void answer(connection, read)
      .catch((error) => log(`queue ${queue} could not be made for its host: ${reason(error)}`))
      .finally(() => underWay.delete(queue));
  }

  return (message: ConsumeMessage): boolean => {
    if (message.properties.type !== askType) return false;
    try {
      take(message);
    } catch (error) {
      const user: unknown = message.properties.userId;
      const line = `a request for a queue is rejected: ${reason(error)}`;
      say(typeof user === "string" ? user : undefined, plainLine(line, 250));
    }
    return true;
  };
}

/** True if the host of this user owns the queue: `trigger-box` owns `trigger-box-dhcp`. The server vouches for the user. */
function isOwnQueue(queue: string, user: unknown): boolean {
  if (typeof user !== "string" || !queue.startsWith(`${user}-`)) return false;
  return wrongServiceName(queue.slice(user.length + 1)) === undefined;
}

const sayUser = (user: unknown): string => (typeof user === "string" ? `the user ${user}` : "a user without a name");
