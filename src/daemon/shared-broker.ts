import type { Broker } from "../ports/broker.ts";

/**
 * Makes one connection to a broker serve all who ask for it: whatever runs in a process, its hosts and its transcriber, speaks over the same one.
 * Who has asked closes what it got; the connection ends when the last of them has.
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
        stand: (election, changed) => broker.stand(election, changed),
        remove: (queues) => broker.remove(queues),
        trouble: () => broker.trouble(),
        close: leave,
      };
    } catch (error) {
      // Who asks next tries anew.
      users -= 1;
      if (opened === mine) opened = undefined;
      throw error;
    }
  };
}
