import { type ReadConfig, transcribersOf } from "./config.ts";
import { hostUserName } from "./permissions.ts";

/** Returns the reason why a user of the broker cannot speak for a host; undefined if it can. */
export type WrongSender = (host: string, user: string | undefined) => string | undefined;

/** Returns the reason why a user of the broker cannot give orders; undefined if it can. */
export type WrongOrderer = (user: string | undefined) => string | undefined;

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
 * The rule for orders: only transcribers may give them. It applies where each host has the user that `trigger
 * permissions` prints. Users that may send messages to a plain service publish under the same keys, but are no
 * transcribers. `own` is the user of host `self`. If that is not the printed one, any user may give orders.
 */
export function orderersOf(config: Pick<ReadConfig, "hosts">, self: string, own: string | undefined): WrongOrderer {
  if (own !== hostUserName(self)) return () => undefined;
  const transcribers = transcriberUsers(config);
  return (user) =>
    transcribers.has(user ?? "")
      ? undefined
      : `it is an order, but was sent ${sayBy(user)}: expected ${[...transcribers].join(" or ")}`;
}

const transcriberUsers = (config: Pick<ReadConfig, "hosts">) => new Set(transcribersOf(config).map(hostUserName));

const sayBy = (user: string | undefined): string =>
  user === undefined ? "without the name of its broker user" : `by the broker user ${user}`;
