/** The names on the wire, all of them: hosts, services, routing keys and queues. */

/** The topic exchange for all messages. */
export const exchange = "trigger";

/** The service of the transcriber: directory modifications arrive under it. */
export const eventService = "event";

/** The service name under which hosts report to the transcriber. */
export const reportService = "report";

/** The service name under which hosts receive orders of persons. */
export const controlService = "control";

const serviceName = /^[a-z][a-z0-9_]*$/;
const hostName = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** Returns the reason why a text cannot name a service; undefined if it can. */
export function wrongServiceName(text: string): string | undefined {
  if (!serviceName.test(text))
    return `a service name has only a-z, 0-9 and _, a letter first: found ${JSON.stringify(text)}`;
  if (text === reportService) return `"${reportService}" is reserved for the reports of hosts`;
  if (text === controlService) return `"${controlService}" is reserved for orders to hosts`;
  return undefined;
}

/** Returns the reason why a text cannot name a host; undefined if it can. */
export function wrongHostName(text: string): string | undefined {
  if (hostName.test(text)) return undefined;
  return `a host name has only a-z, 0-9 and -, no - at either end: found ${JSON.stringify(text)}`;
}

/** The key that reaches every host of a service: `trigger.dhcp`. */
export const serviceKey = (service: string): string => `trigger.${service}`;

/** The key that reaches one host of a service: `trigger.dhcp.dhcp1`. */
export const hostKey = (service: string, host: string): string => `trigger.${service}.${host}`;

/**
 * The queue of one service on one host: `trigger-dhcp1-dhcp`. Two pairs never have one name, because a service has no
 * `-`.
 */
export const queueName = (host: string, service: string): string => `trigger-${host}-${service}`;

/**
 * The queue, and its key, for the ticks of an election's candidates, with a broker that elects by ticks:
 * `trigger.ticks.event`.
 */
export const ticksQueue = (election: string): string => `trigger.ticks.${election}`;

/** The keys with which a queue of a service on a host is bound. */
export const queueKeys = (host: string, service: string): string[] => [serviceKey(service), hostKey(service, host)];

/** The use of a queue, which decides its limit. Without a directory events are the truth. */
export type QueueUse = "table" | "plain" | "event" | "eventTruth" | "report" | "control";

const mebibyte = 1024 * 1024;

/** The longest wait of an order for its host, in milliseconds, as the broker measures it. */
export const orderLifetime = 30_000;

/**
 * A full queue of a table drops messages, which digests repair. The queue of a plain service refuses: an accepted
 * message must not be lost. With a directory, events only tell who made a change. An order is obeyed at once or never: a
 * host that comes back later finds no old ones.
 */
const limits = {
  table: { messages: 1000, bytes: 64 * mebibyte, beyond: "drop" },
  plain: { messages: 10_000, bytes: 64 * mebibyte, beyond: "refuse" },
  event: { messages: 10_000, bytes: 64 * mebibyte, beyond: "drop" },
  eventTruth: { messages: 10_000, bytes: 64 * mebibyte, beyond: "refuse" },
  report: { messages: 10_000, bytes: 64 * mebibyte, beyond: "drop" },
  control: { messages: 100, bytes: mebibyte, beyond: "drop", lifetime: orderLifetime },
} as const;

/** The queue of a service on a host, with its bindings and limit. */
export const queueOf = (host: string, service: string, use: QueueUse) => ({
  name: queueName(host, service),
  keys: queueKeys(host, service),
  limit: limits[use],
});
