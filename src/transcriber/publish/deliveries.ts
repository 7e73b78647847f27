import { queueRemedy } from "../../core/stream/queue-remedy.ts";
import { hostKey, queueName } from "../../core/stream/routing.ts";
import { MessageRefused } from "../../ports/broker.ts";

export interface DeliveryOptions {
  readonly service: string;
  /** The routing key of all hosts. */
  readonly everyone: string;
  readonly hosts: readonly string[];
  publish(key: string, body: string): Promise<void>;
  log(line: string): void;
}

/** The deliveries of one service's messages to each of its hosts, even while the queue of one of them refuses. */
export interface Deliveries {
  /** Publishes a message. A digest is sent to refusing queues, too: it repairs what they have missed. */
  send(key: string, body: string, isDigest: boolean): Promise<void>;
  /** The hosts whose queues refuse messages. */
  blockedQueues(): string[];
}

/**
 * Delivers to all hosts. The broker refuses a message to all as soon as one queue refuses it, and does not name the
 * queue. The message is therefore published to each host by its own key, which finds the refusing queue. From then on
 * each other host gets its own copy, until that queue accepts a digest again. Hosts drop duplicates.
 */
export function deliveries({ service, everyone, hosts, publish, log }: DeliveryOptions): Deliveries {
  const blocked = new Set<string>();
  let unknownLogged = false;

  async function sendTo(host: string, body: string): Promise<void> {
    const queue = queueName(host, service);
    try {
      await publish(hostKey(service, host), body);
      if (blocked.delete(host)) log(`queue ${queue} accepts messages again`);
    } catch (error) {
      if (!(error instanceof MessageRefused)) throw error;
      if (!blocked.has(host))
        log(`queue ${queue} refuses messages, so ${host} gets no changes; other hosts do: ${queueRemedy(queue)}`);
      blocked.add(host);
    }
  }

  async function sendToEach(body: string, isDigest: boolean): Promise<void> {
    const targets = hosts.filter((host) => isDigest || !blocked.has(host));
    const ended = await Promise.allSettled(targets.map((host) => sendTo(host, body)));
    for (const one of ended) if (one.status === "rejected") throw one.reason;
  }

  return {
    blockedQueues: () => [...blocked],
    async send(key, body, isDigest) {
      const one = hosts.find((host) => key === hostKey(service, host));
      if (one !== undefined) return sendTo(one, body);
      if (blocked.size > 0) return sendToEach(body, isDigest);
      try {
        await publish(everyone, body);
      } catch (error) {
        if (!(error instanceof MessageRefused)) throw error;
        await sendToEach(body, true);
        if (blocked.size > 0 || unknownLogged) return;
        unknownLogged = true;
        log(
          `${service}: a queue that is bound with ${everyone} refuses messages, but belongs to no host of the config: ${bindings}`,
        );
      }
    },
  };
}

const bindings = "`rabbitmqctl list_bindings destination_name routing_key` lists them";
