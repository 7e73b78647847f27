/** The names on the wire, all of them: hosts, services, routing keys and queues. */

/** The topic exchange that everything goes through. */
export const exchange = "trigger";

/** The service of the transcriber: directory modifications arrive under it. */
export const eventService = "event";

/** The service name under which hosts report to the transcriber. */
export const reportService = "report";

const serviceName = /^[a-z][a-z0-9_]*$/;
const hostName = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** Says why a text cannot name a service, or gives undefined when it can. */
export function wrongServiceName(text: string): string | undefined {
  if (!serviceName.test(text))
    return `a service is named with a-z, 0-9 and _, a letter first: ${JSON.stringify(text)} is not`;
  if (text === reportService) return `"${reportService}" is reserved for what hosts report`;
  return undefined;
}

/** Says why a text cannot name a host, or gives undefined when it can. */
export function wrongHostName(text: string): string | undefined {
  if (hostName.test(text)) return undefined;
  return `a host is named with a-z, 0-9 and -, no - at either end: ${JSON.stringify(text)} is not`;
}

/** The key that reaches every host of a service: `trigger.dhcp`. */
export const serviceKey = (service: string): string => `trigger.${service}`;

/** The key that reaches one host of a service: `trigger.dhcp.dhcp1`. */
export const hostKey = (service: string, host: string): string => `trigger.${service}.${host}`;

/** The queue of one service on one host: `trigger-dhcp1-dhcp`. Names cannot run together: a service has no `-`. */
export const queueName = (host: string, service: string): string => `trigger-${host}-${service}`;

/** The queue, and its key, through which the candidates of an election tick where a broker elects by ticks: `trigger.ticks.event`. */
export const ticksQueue = (election: string): string => `trigger.ticks.${election}`;

/** The keys that a queue of a service on a host is bound with. */
export const queueKeys = (host: string, service: string): string[] => [serviceKey(service), hostKey(service, host)];

/** The use of a queue, which decides its limit. Without a directory events are the truth. */
export type QueueUse = "table" | "plain" | "event" | "eventTruth" | "report";

const mebibyte = 1024 * 1024;

/** Digests repair what a full queue of a table drops; what a plain service has accepted must not be lost, so its queue refuses. Events only attribute, where there is a directory. */
const limits = {
  table: { messages: 1000, bytes: 64 * mebibyte, beyond: "drop" },
  plain: { messages: 10_000, bytes: 64 * mebibyte, beyond: "refuse" },
  event: { messages: 10_000, bytes: 64 * mebibyte, beyond: "drop" },
  eventTruth: { messages: 10_000, bytes: 64 * mebibyte, beyond: "refuse" },
  report: { messages: 10_000, bytes: 64 * mebibyte, beyond: "drop" },
} as const;

/** The queue of a service on a host, with its bindings and limit. */
export const queueOf = (host: string, service: string, use: QueueUse) => ({
  name: queueName(host, service),
  keys: queueKeys(host, service),
  limit: limits[use],
});
