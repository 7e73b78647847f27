import {
  eventService,
  exchange,
  hostKey,
  queueName,
  reportService,
  serviceKey,
  ticksQueue,
} from "../stream/routing.ts";
import type { ReadConfig } from "./config.ts";

/** A user of RabbitMQ and all that it may do: regular expressions of names, and of keys at the exchange. */
export interface BrokerUser {
  readonly name: string;
  /** Its purpose, in a few words. */
  readonly purpose: string;
  readonly configure: string;
  readonly write: string;
  readonly read: string;
  readonly topicWrite: string;
  readonly topicRead: string;
}

/**
 * The user of a host: it reads its own queues and publishes its reports. It declares and binds nothing.
 * The server has one right for queues and exchanges, and an exchange that a host could bind would carry any key to all.
 * A transcriber makes the queues of all hosts and publishes to them.
 */
export function hostUser({ hosts }: Pick<ReadConfig, "hosts">, host: string): BrokerUser {
  const services = hosts.get(host) ?? [];
  const transcribes = services.includes(eventService);
  const queues = [...services, ...(transcribes ? [reportService] : [])].map((service) => queueName(host, service));
  const user = { name: hostUserName(host), purpose: `host ${host}: ${services.join(", ") || "no service"}` };
  if (transcribes) {
    // Who makes the queues of hosts that are yet to come is not told their names; what it reads is its own all the same.
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

/** The user of a program that sends messages of one service and does nothing else; of `event`, it is a binding. */
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
 * The user of a program that writes to the directory. It publishes who changes what and why, and asks transcribers
 * whether hosts have applied it, as `trigger modify --wait` does. No host has such a name.
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

/** The user that a broker's url names, or each of a cluster's. */
export const userOf = (url: string | readonly string[]): string => decodeURIComponent(anyOf(url).username);

/** The vhost that a broker's url names, or each of a cluster's. */
export const vhostOf = (url: string | readonly string[]): string =>
  decodeURIComponent(anyOf(url).pathname.slice(1)) || "/";

const anyOf = (url: string | readonly string[]): URL => new URL([url].flat()[0] ?? "");

/** The expression for these names and no others: of one that is only the beginning of another, names run together. */
const only = (names: readonly string[]): string =>
  names.length === 0 ? "^$" : `^(${[...new Set(names)].map(literal).join("|")})$`;

/** Names have no other sign that means something in an expression. */
const literal = (name: string): string => name.replaceAll(".", "\\.");
