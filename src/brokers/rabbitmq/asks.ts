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
import { rests } from "./rests.ts";
import type { Topology } from "./topology.ts";

/** A host that may not make its queues asks the transcribers for them, under the key of reports: it may publish no other. */

/** The property `type` of the messages in which a host asks for a queue. */
const askType = "queue";

/** The most bytes of such a message: the longest name of a queue has 255. A longer one is refused unread, so that many do no harm. */
const longest = 1_000;

/** The faults of a queue for which a host asks: it is gone, or brings nothing although it should. It is then recreated. */
export type Fault = "gone" | "silent";

export const queueMessage = z.object({
  trigger: z.literal(protocolVersion),
  kind: z.literal("queue"),
  queue: z.string(),
  fault: z.enum(["gone", "silent"]),
});

/** The key under which queues are asked for. */
export const askKey = serviceKey(reportService);

/** Asks for a queue, as the user of the connection. A lost question does no harm: it is repeated while the queue is at fault. */
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
  /** True if this broker object speaks for the active transcriber. Two would delete the queues that the other has just made. */
  readonly isActive: () => boolean;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

/** Sees to the queues that hosts ask for: gives true for a message that asks, which is then dealt with. */
export function answerAsks({ declared, recreate, consuming, isActive, clock, log }: AnswerOptions) {
  const underWay = new Set<string>();
  const rest = new Map<string, () => boolean>();
  const say = onceEach(log, clock.monotonic);

  async function answer(connection: Connection, { queue, fault }: z.infer<typeof queueMessage>): Promise<void> {
    if (fault === "gone") {
      const there = await declared.look(connection, queue).catch(() => undefined);
      if (there) return;
      await declared.restore(connection, queue);
      return log(`queue ${queue} was not there: declared for its host`);
    }
    // Deleting a queue can cost the connection, so a host cannot have it done as often as it likes.
    const isDue = rest.get(queue) ?? rests(clock);
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
      throw new Error(`queue ${queue} is asked for by ${sayUser(user)}, which does not own it`);
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
      const line = `a message that asks for a queue is of no use: ${reason(error)}`;
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
