import { reason } from "../../core/util/errors.ts";
import { BrokerTrouble, MessageRefused, QueueFull } from "../../ports/broker.ts";
import { isRefused } from "./channels.ts";
import type { Connection } from "./connection.ts";
import type { Refusals } from "./publish.ts";
import type { Topology } from "./topology.ts";

interface Options {
  readonly declared: Topology;
  /** Recreates a queue, if its content may be lost. */
  readonly recreate: (connection: Connection, name: string) => Promise<void>;
  /** Waits until the consumers of a deleted queue are notified of its end. */
  readonly awaitDeletion: () => Promise<void>;
  readonly consuming: () => Connection | undefined;
  readonly log: (line: string) => void;
}

/** The most keys without a queue that are remembered. */
const rememberedKeys = 1_000;

/** Reports and repairs, for messages that the server refused, could not route or did not confirm. */
export function deliveryFailures({ declared, recreate, awaitDeletion, consuming, log }: Options): Refusals {
  const unheard = new Set<string>();
  const restoring = new Set<string>();

  async function restore(name: string, connection: Connection): Promise<void> {
    if (restoring.has(name)) return;
    restoring.add(name);
    const what = await faultOf(name, connection);
    try {
      if (what !== "lost its bindings") await awaitDeletion();
      await declared.restore(connection, name);
      // A queue that did not exist before is declared for the first time, which is no fault.
      if (what) log(`queue ${name} ${what}: declared again`);
    } catch (error) {
      log(`queue ${name} ${what ? `${what} and could not be declared again` : "cannot be declared"}: ${reason(error)}`);
    } finally {
      restoring.delete(name);
    }
  }

  /** The reason why a queue got no message; undefined for a queue that did not exist yet. */
  async function faultOf(name: string, connection: Connection): Promise<string | undefined> {
    if (!declared.wasThere(name)) return undefined;
    try {
      await declared.look(connection, name);
      return "lost its bindings";
    } catch (error) {
      return isRefused(error, 404) ? "was deleted" : "got no message";
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
        if (!unheard.has(key)) log(`a message to ${key} reached no queue: none is bound to that key`);
        unheard.add(key);
        return undefined;
      }
      for (const name of names) if (connection) void restore(name, connection);
      const gone = names.filter(declared.wasThere);
      const why = gone.length > 0 ? `${gone.join(", ")} no longer takes it` : `${names.join(", ")} does not exist yet`;
      return new BrokerTrouble(`the message to ${key} reached no queue: ${why}`);
    },

    async unconfirmed(key) {
      // A working queue holds the message, or has a consumer that took it.
      for (const { name } of declared.bound(key)) {
        const connection = consuming();
        if (!connection || !declared.expendable(name)) continue;
        const found = await declared.look(connection, name).catch(() => undefined);
        if (found && found.messages + found.consumers === 0) await recreate(connection, name);
      }
    },
  };
}
