import type { ReadConfig } from "../../core/config/config.ts";
import { controlService, eventService, type QueueUse, queueOf, reportService } from "../../core/stream/routing.ts";
import type { Queue } from "../../ports/broker.ts";

/**
 * The queues of all hosts of a config: a host that was never up loses no message either. `tables` are the services that
 * have one.
 */
export function queuesOf(
  { hosts }: Pick<ReadConfig, "hosts">,
  tables: { has(service: string): boolean },
  eventUse: QueueUse = "event",
): Queue[] {
  return [...hosts].flatMap(([host, services]) => [
    queueOf(host, controlService, "control"),
    ...services.flatMap((service) => {
      if (service === eventService) return [queueOf(host, service, eventUse), queueOf(host, reportService, "report")];
      return [queueOf(host, service, tables.has(service) ? "table" : "plain")];
    }),
  ]);
}
