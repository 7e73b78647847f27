import {
  controlService,
  eventService,
  exchange,
  hostKey,
  queueName,
  reportService,
  serviceKey,
  ticksQueue,
} from "../stream/routing.ts";
import type { ReadConfig } from "./config.ts";

/** A user of RabbitMQ with its permissions: regular expressions for names, and for keys at the exchange. */
export interface BrokerUser {
  readonly name: string;
  /** The purpose of the user, in a few words. */
  readonly purpose: string;
  readonly configure: string;
  readonly write: string;
  readonly read: string;
  readonly topicWrite: string;
  readonly topicRead: string;
}

/**
 * The user of a host: it reads its own queues and publishes its reports. It declares and binds nothing. RabbitMQ has
 * one right for queues and exchanges together: a host that could bind the exchange could send any key to all hosts. A
 * transcriber creates the queues of all hosts and publishes to them.
 */
export function hostUser({ hosts }: Pick<ReadConfig, "hosts">, host: string): BrokerUser {
  const services = hosts.get(host) ?? [];
  const transcribes = services.includes(eventService);
  const queues = [controlService, ...services, ...(transcribes ? [reportService] : [])].map((service) =>
    queueName(host, service),
  );
  const user = { name: hostUserName(host), purpose: `host ${host}: ${services.join(", ") || "no service"}` };
  if (transcribes) {
    // A transcriber creates queues also for hosts of the future, so it may configure every name. It reads only its own
    // queues.
    const everything = `^${literal(exchange)}([-.].*)?$`;
    const keys = `^${literal(serviceKey(""))}`;
    const read = only([exchange, ...queues, ticksQueue(eventService)]);
    return { ...user, configure: everything, write: everything, read, topicWrite: keys, topicRead: keys };
  }
  return {
    ...user,
    configure: only([]),
    write: only([exchange]),
    read: only(queues),
    topicWrite: only([serviceKey(reportService)]),
    topicRead: only([]),
  };
}

/**
 * The user of a program that sends messages of one service and does nothing else. For `event`, that program is a
 * binding.
 */
export function senderUser(name: string, service: string, hosts: readonly string[]): BrokerUser {
  const keys = service === eventService ? [] : hosts.map((host) => hostKey(service, host));
  return {
    name,
    purpose: `sends messages of ${service}`,
    configure: only([]),
    write: only([exchange]),
    read: only([]),
    topicWrite: only([serviceKey(service), ...keys]),
    topicRead: only([]),
  };
}

/**
 * The user of a program that writes to the directory. It publishes each change with its author and reason. It asks
 * transcribers whether hosts have applied the change, as `trigger modify --wait` does. No host has this name.
 */
export function writerUser(): BrokerUser {
  return {
    ...senderUser("trigger.modify", eventService, []),
    purpose: "writes to the directory: trigger modify, and programs",
    topicWrite: only([serviceKey(eventService), serviceKey(reportService)]),
  };
}

/** The name of a host's own user. */
export const hostUserName = (host: string): string => `trigger-${host}`;

/** True for the name of a host's user. */
export const isHostUser = (user: string): boolean => user.startsWith(hostUserName(""));

/** The user in a broker's URL; all URLs of a cluster name the same one. */
export const userOf = (url: string | readonly string[]): string => decodeURIComponent(anyOf(url).username);

/** The vhost in a broker's URL; all URLs of a cluster name the same one. */
export const vhostOf = (url: string | readonly string[]): string =>
  decodeURIComponent(anyOf(url).pathname.slice(1)) || "/";

const anyOf = (url: string | readonly string[]): URL => new URL([url].flat()[0] ?? "");

/** The expression that matches these names as a whole, and no others. */
const only = (names: readonly string[]): string =>
  names.length === 0 ? "^$" : `^(${[...new Set(names)].map(literal).join("|")})$`;

/** A name as an expression; a dot is the only special character that a name can have. */
const literal = (name: string): string => name.replaceAll(".", "\\.");
