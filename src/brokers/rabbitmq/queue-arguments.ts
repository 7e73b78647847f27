import type { Queue } from "../../ports/broker.ts";
import type { Server } from "./connection.ts";
import { keepsDeliveries } from "./users.ts";

/** The type of the queues that are declared: replicated over the nodes of a cluster, or on one node. */
export type QueueType = "quorum" | "classic";

/** The arguments that a queue is declared with (https://www.rabbitmq.com/docs/queues#optional-arguments). */
export function queueArguments({ limit }: Queue, type: QueueType, server: Server): Record<string, unknown> {
  const refuses = limit.beyond === "refuse";
  // A quorum queue refuses only beyond its limit, so its limit is one message less.
  const less = refuses && type === "quorum" ? 1 : 0;
  return {
    "x-queue-type": type,
    "x-single-active-consumer": true,
    "x-max-length": Math.max(limit.messages - less, 0),
    "x-max-length-bytes": Math.max(limit.bytes - less, 0),
    "x-overflow": refuses ? "reject-publish" : "drop-head",
    // Of a quorum queue too, from 3.10 on: https://www.rabbitmq.com/docs/ttl
    ...(limit.lifetime !== undefined && { "x-message-ttl": limit.lifetime }),
    // From 4.0 a quorum queue drops a message after 21 deliveries by default. Before 4.0, -1 would drop it at the second delivery.
    ...(type === "quorum" && isFrom4(server) && { "x-delivery-limit": -1 }),
    // If the node of a consumer is lost, RabbitMQ 4.3 gives its queue to another one after this time, in milliseconds: a minute by default.
    // https://www.rabbitmq.com/docs/quorum-queues
    ...(type === "quorum" && isFrom(server, 4, 3) && { [disconnectedTimeout]: 1000 }),
  };
}

const disconnectedTimeout = "x-consumer-disconnected-timeout";

/** True if the server is RabbitMQ 4.0 or later. */
export const isFrom4 = (server: Server): boolean => isFrom(server, 4, 0);

function isFrom({ product, version }: Server, major: number, minor: number): boolean {
  const [theirs = 0, theirMinor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  return product === "RabbitMQ" && (theirs > major || (theirs === major && theirMinor >= minor));
}

/**
 * The log line about a queue that exists with other arguments, made from the server's text. `once` is a name by which
 * it is logged once.
 */
export function otherArguments({ name, limit }: Queue, why: string): [once: string, line: string | undefined] {
  const { argument, ours, theirs } = differenceIn(why) ?? {};
  if (argument === undefined)
    return [`${name} ${why}`, `queue ${name} exists with other arguments (${why}), and keeps them until it is deleted`];
  if (argument === "x-delivery-limit" && theirs === "none") {
    // Losses of a drop-head queue are repaired. A client cannot see a policy, so the line is logged even if there is one.
    const isLoss = limit.beyond === "refuse";
    return [`${argument} ${isLoss}`, isLoss ? `queue ${name}, and perhaps others, ${losesDeliveries}` : undefined];
  }
  if (argument === disconnectedTimeout && theirs === "none") {
    return [argument, `queue ${name}, and perhaps others, ${waitsForLost}`];
  }
  return [
    `${name} ${argument}`,
    `queue ${name} exists with ${argument} ${theirs}, not ${ours}, and keeps that until it is deleted`,
  ];
}

const losesDeliveries =
  "was made under RabbitMQ 3: from version 4 on, the server drops a message of it after 21 deliveries. A policy prevents that. " +
  `trigger cannot see policies; this sets it: \`${keepsDeliveries("VHOST")}\``;

const waitsForLost =
  "was made under an older RabbitMQ: 4.3 gives it to another consumer only a minute after the node of its consumer is lost. " +
  "A policy makes that a second. trigger cannot see policies; the script of `trigger permissions` sets it";

/** `inequivalent arg 'x-max-length' for queue 'q' in vhost '/': received '5' but current is '10'`, parsed. */
function differenceIn(why: string): { argument: string; ours: string; theirs: string } | undefined {
  const [, argument, ours, theirs] =
    why.match(/inequivalent arg '(.+?)' for .*?: received (.+?) but current is (.+?)"?$/) ?? [];
  return argument === undefined ? undefined : { argument, ours: plain(ours), theirs: plain(theirs) };
}

/** A value of the server's text, such as `the value '5' of type 'long'`, alone. */
const plain = (value = ""): string => value.match(/value '(.*?)'/)?.[1] ?? value.replace(/^'(.*)'$/, "$1");
