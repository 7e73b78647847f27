import { reason } from "../../core/outcome.ts";
import type { Connection } from "./connection.ts";
import type { Topology } from "./topology.ts";

/**
 * Makes anew the queues that carry nothing any more: a node that is killed in the first second of a quorum queue leaves it without a leader, for ever.
 * `settle` waits until whoever consumed it has heard that it is gone. Only one that drops what it has no room for: what it loses is repaired anyway, or was of a moment. Any other may hold what nobody else has.
 */
export function remaker(declared: Topology, settle: () => Promise<void>, log: (line: string) => void) {
  const underWay = new Set<string>();

  return async (connection: Connection, name: string): Promise<void> => {
    if (!declared.expendable(name) || underWay.has(name)) return;
    underWay.add(name);
    log(`queue ${name} carries nothing, as after a crash: it is deleted and declared again`);
    let connected = true;
    void connection.ended.then(() => {
      connected = false;
    });
    try {
      await declared.remake(connection, name, settle);
    } catch (error) {
      await new Promise((resolve) => setImmediate(resolve)); // a connection that ends closes its channels first
      // The server closes the connections that have messages under way to it: the next ones declare everything again.
      if (connected) log(`queue ${name} could not be made anew: ${reason(error)}`);
    } finally {
      underWay.delete(name);
    }
  };
}
