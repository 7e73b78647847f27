import { queueRemedy } from "../../core/stream/queue-remedy.ts";
import { hostKey, queueName } from "../../core/stream/routing.ts";
import { reason } from "../../core/util/errors.ts";
import { MessageRefused } from "../../ports/broker.ts";

export interface DeliveryOptions {
  readonly service: string;
  /** The routing key of all hosts. */
  readonly everyone: string;
  readonly hosts: readonly string[];
  publish(key: string, body: string): Promise<void>;
  log(line: string): void;
}

/** The deliveries of one service's messages to each of its hosts, even while the queue of one of them takes none. */
export interface Deliveries {
  /**
   * Publishes a message. A digest is sent to blocked queues, too: it repairs what they have missed. Resolves once the
   * queues that work have it; throws if none has.
   */
  send(key: string, body: string, isDigest: boolean): Promise<void>;
  /** The hosts whose queues refuse messages, or never confirm them. */
  blockedQueues(): string[];
}

/** The most messages under way to one host by its own key. A host asks again for an answer that it does not get. */
const mostUnderWay = 8;

/**
 * Delivers to all hosts. The broker refuses a message to all as soon as one queue refuses it, and confirms it once each
 * queue has it. It does not name the queue. Such a message is therefore published to each host by its own key, which
 * finds the blocked queue. From then on each other host gets its own copy, until that queue accepts a digest again.
 * Hosts drop duplicates. No other host waits for a message to a single one.
 */
export function deliveries({ service, everyone, hosts, publish, log }: DeliveryOptions): Deliveries {
  const blocked = new Set<string>();
  /** The number of messages under way to each host by its own key. */
  const underWay = new Map<string, number>();
  /** True if the last message to all failed without a refusal: the broker is away, or one queue confirms nothing. */
  let failed = false;
  let unknownLogged = false;

  function block(host: string, what: string): void {
    const queue = queueName(host, service);
    if (!blocked.has(host))
      log(`queue ${queue} ${what} messages, so ${host} gets no changes; other hosts do: ${queueRemedy(queue)}`);
    blocked.add(host);
  }

  /** Publishes to one host. Resolves to the error of a message that was not refused, but failed. */
  async function attempt(host: string, body: string): Promise<Error | undefined> {
    underWay.set(host, (underWay.get(host) ?? 0) + 1);
    try {
      await publish(hostKey(service, host), body);
      if (blocked.delete(host)) log(`queue ${queueName(host, service)} accepts messages again`);
      return undefined;
    } catch (error) {
      if (!(error instanceof MessageRefused)) return error instanceof Error ? error : new Error(String(error));
      block(host, "refuses");
      return undefined;
    } finally {
      underWay.set(host, (underWay.get(host) ?? 1) - 1);
    }
  }

  async function sendToEach(body: string, isDigest: boolean): Promise<void> {
    const working = hosts.filter((host) => !blocked.has(host));
    const others = isDigest ? hosts.filter((host) => blocked.has(host) && !underWay.get(host)) : [];
    const tries = others.map((host) => attempt(host, body));
    const ended = await Promise.all(working.map((host) => attempt(host, body)));
    const errors = working.length > 0 ? ended : await Promise.all(tries);
    const [first] = errors.filter((error) => error !== undefined);
    if (first && errors.every((error) => error !== undefined)) throw first;
    failed = false;
    for (const [place, error] of ended.entries()) if (error) block(working[place] ?? "", "confirms no");
  }

  /** Publishes to one of several hosts. Nothing waits for it. */
  function sendAside(host: string, body: string): void {
    if ((underWay.get(host) ?? 0) >= mostUnderWay) return;
    void attempt(host, body).then((error) => {
      if (error) log(`the answer to ${host} for ${service} was not delivered, it asks again: ${reason(error)}`);
    });
  }

  return {
    blockedQueues: () => [...blocked],
    async send(key, body, isDigest) {
      const one = hosts.find((host) => key === hostKey(service, host));
      if (one !== undefined && hosts.length > 1) return sendAside(one, body);
      if (one !== undefined || blocked.size > 0 || failed) return sendToEach(body, isDigest);
      try {
        await publish(everyone, body);
      } catch (error) {
        failed = hosts.length > 1;
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
