import { type ReadConfig, transcribersOf } from "./config.ts";
import { hostUserName, isHostUser } from "./permissions.ts";

/** Returns the reason why a user of the broker cannot speak for a host; undefined if it can. */
export type WrongSender = (host: string, user: string | undefined) => string | undefined;

/** Returns the reason why a user of the broker is no transcriber's; undefined if it is one. */
export type WrongTranscriber = (user: string | undefined) => string | undefined;

/** Returns the reason why a user of the broker may not send plain messages of a service; undefined if it may. */
export type WrongPlainSender = (service: string, user: string | undefined) => string | undefined;

/**
 * The rule for messages from a host: its own user and those of transcribers may send them. It applies where each host
 * has the user that `trigger permissions` prints. `own` is the user of the transcriber on host `self`. If that is not
 * the printed one, any user may speak for any host.
 */
export function sendersOf(config: Pick<ReadConfig, "hosts">, self: string, own: string | undefined): WrongSender {
  if (own !== hostUserName(self)) return () => undefined;
  const speakForAll = transcriberUsers(config);
  return (host, user) => {
    if (user === hostUserName(host) || speakForAll.has(user ?? "")) return undefined;
    return `it claims to be from ${host}, but was sent ${sayBy(user)}: expected ${hostUserName(host)}`;
  };
}

/**
 * The rule for rows, waves and orders: only transcribers send them. It applies where each host has the user that `trigger
 * permissions` prints. `own` is the user of host `self`. If that is not the printed one, any user may send them.
 */
export function onlyTranscribers(
  config: Pick<ReadConfig, "hosts">,
  self: string,
  own: string | undefined,
): WrongTranscriber {
  if (own !== hostUserName(self)) return () => undefined;
  const transcribers = transcriberUsers(config);
  return (user) => (transcribers.has(user ?? "") ? undefined : sayWrong(user, [...transcribers]));
}

/**
 * The rule for plain messages. Where the config names senders of a service, these and transcribers alone may send them;
 * otherwise each user whom the broker lets publish.
 */
export function plainSenders(config: Pick<ReadConfig, "hosts" | "senders">): WrongPlainSender {
  const transcribers = transcriberUsers(config);
  return (service, user) => {
    const senders = config.senders[service];
    if (!senders || senders.includes(user ?? "") || transcribers.has(user ?? "")) return undefined;
    return sayWrong(user, senders);
  };
}

/** The users that put their name into each message, since hosts look at it: those of hosts, and the senders of the config. */
export const namesItself = (config: Pick<ReadConfig, "senders">, user: string): boolean =>
  isHostUser(user) || Object.values(config.senders).some((senders) => senders.includes(user));

const transcriberUsers = (config: Pick<ReadConfig, "hosts">) => new Set(transcribersOf(config).map(hostUserName));

const sayWrong = (user: string | undefined, expected: readonly string[]): string =>
  `it was sent ${sayBy(user)}: expected ${expected.join(" or ")}${user === undefined ? `; ${clears}` : ""}`;

/** The cause of a missing user between brokers: https://www.rabbitmq.com/docs/validated-user-id */
const clears = "a federation clears it without `trust-user-id`, and a shovel publishes as its own user";

const sayBy = (user: string | undefined): string =>
  user === undefined ? "without the name of its broker user" : `by the broker user ${user}`;
