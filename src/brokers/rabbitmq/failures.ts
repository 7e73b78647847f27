import { reason } from "../../core/outcome.ts";
import { BrokerTrouble, MessageRefused, QueueFull } from "../../ports/broker.ts";
import type { Connection } from "./connection.ts";
import type { Refusals } from "./publish.ts";
import type { Topology } from "./topology.ts";

interface Options {
  readonly declared: Topology;
  /** Makes a queue anew, if what it holds may be lost. */
  readonly remake: (connection: Connection, name: string) => Promise<void>;
  /** Waits until whoever consumed a deleted queue has heard that it is gone. */
  readonly settle: () => Promise<void>;
  readonly consuming: () => Connection | undefined;
  readonly log: (line: string) => void;
}

/** Keys of which it is remembered that nobody listens to them. */
const rememberedKeys = 1_000;

/** What is said, and done, about a message that the server refused, could not route or did not confirm. */
export function deliveryFailures({ declared, remake, settle, consuming, log }: Options): Refusals {
  const unheard = new Set<string>();
  const restoring = new Set<string>();

  async function restore(name: string, connection: Connection): Promise<void> {
    if (restoring.has(name)) return;
    restoring.add(name);
    try {
      await settle();
      await declared.restore(connection, name);
      log(`queue ${name} was deleted: declared again`);
    } catch (error) {
      log(`queue ${name} was deleted and could not be declared again: ${reason(error)}`);
    } finally {
      restoring.delete(name);
    }
  }

  return {
    async refused(key) {
      const refusing = declared.bound(key).filter(({ limit }) => limit.beyond === "refuse");
      if (refusing.length === 0)
        return new MessageRefused(
          `the broker refused the message to ${key}: one of its queues is full or down, the others have it`,
        );
      const connection = consuming();
      const names = refusing.map(({ name }) => name);
      const full = refusing.length > 1 && connection ? await declared.full(connection, names) : names;
      return new QueueFull((full.length > 0 ? full : names).join(" or "));
    },

    unroutable(key) {
      const names = declared.bound(key).map(({ name }) => name);
      const connection = consuming();
      if (names.length === 0) {
        if (unheard.size >= rememberedKeys) unheard.clear();
        if (!unheard.has(key)) log(`a message to ${key} reached no queue: nobody listens to that key`);
        unheard.add(key);
        return undefined;
      }
      for (const name of names) if (connection) void restore(name, connection);
      return new BrokerTrouble(`the message to ${key} reached no queue: ${names.join(", ")} was deleted`);
    },

    async unconfirmed(key) {
      // One that works holds the message, or has a consumer that took it.
      for (const { name } of declared.bound(key)) {
        const connection = consuming();
        if (!connection || !declared.expendable(name)) continue;
        const found = await declared.look(connection, name).catch(() => undefined);
        if (found && found.messages + found.consumers === 0) await remake(connection, name);
      }
    },
  };
}
