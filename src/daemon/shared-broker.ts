import type { Broker } from "../ports/broker.ts";

/**
 * Shares one connection to a broker between the hosts and the transcriber of a process.
 * Each user closes its own handle; the connection ends with the last one.
 */
export function sharedBroker(connect: () => Promise<Broker>): () => Promise<Broker> {
  let opened: Promise<Broker> | undefined;
  let users = 0;

  return async () => {
    opened ??= connect();
    users += 1;
    const mine = opened;
    let left = false;
    const leave = async (): Promise<void> => {
      if (left) return;
      left = true;
      users -= 1;
      if (users > 0 || opened !== mine) return;
      opened = undefined;
      await (await mine).close();
    };
    try {
      const broker = await mine;
      return {
        declare: (queues) => broker.declare(queues),
        publish: (key, body, options) => broker.publish(key, body, options),
        consume: (queue, take, options) => broker.consume(queue, take, options),
        campaign: (election, changed) => broker.campaign(election, changed),
        remove: (queues) => broker.remove(queues),
        trouble: () => broker.trouble(),
        close: leave,
      };
    } catch (error) {
      // The next user tries again.
      users -= 1;
      if (opened === mine) opened = undefined;
      throw error;
    }
  };
}
