import { reason } from "../../core/util/errors.ts";
import { isRefused } from "./channels.ts";
import type { Connection } from "./connection.ts";
import type { Topology } from "./topology.ts";

interface Options {
  readonly declared: Topology;
  /** Waits until the consumers of a deleted queue are notified of its end. */
  readonly awaitDeletion: () => Promise<void>;
  /** Asks the transcribers to recreate a queue that this user may not delete. */
  readonly askFor: (name: string) => void;
  /** True if the node confirms nothing: it may be cut off, and the queue may work on other nodes. */
  readonly nodeSuspected: () => boolean;
  readonly log: (line: string) => void;
}

/**
 * Recreates queues that deliver nothing any more. A quorum queue whose node is killed in the queue's first second stays
 * without a leader for ever.
 * Only drop-head queues are recreated: their content is resent or short-lived. Any other queue may hold the only copy.
 */
export function recreator({ declared, awaitDeletion, askFor, nodeSuspected, log }: Options) {
  const underWay = new Set<string>();
  /** The names of the queues that this user may not delete. */
  const others = new Set<string>();

  return async (connection: Connection, name: string): Promise<void> => {
    if (!declared.expendable(name) || underWay.has(name) || nodeSuspected()) return;
    if (others.has(name)) return askFor(name);
    underWay.add(name);
    log(`queue ${name} delivers nothing, as after a crash: it is deleted and declared again`);
    let connected = true;
    void connection.ended.then(() => {
      connected = false;
    });
    try {
      await declared.recreate(connection, name, awaitDeletion);
    } catch (error) {
      if (isRefused(error, 403)) {
        others.add(name);
        log(`queue ${name} may not be deleted by this user: a transcriber is requested to do it`);
        return askFor(name);
      }
      await new Promise((resolve) => setImmediate(resolve)); // a connection that ends closes its channels first
      // The server closes the connections that have messages under way to it: the next ones declare everything again.
      if (connected) log(`queue ${name} could not be recreated: ${reason(error)}`);
    } finally {
      underWay.delete(name);
    }
  };
}
