import { type ReadConfig, transcribersOf } from "./config.ts";
import { hostUserName } from "./permissions.ts";

/** Says why a user of the broker cannot speak for a host, or gives undefined when it can. */
export type WrongSender = (host: string, user: string | undefined) => string | undefined;

/** Says why a user of the broker cannot give orders, or gives undefined when it can. */
export type WrongOrderer = (user: string | undefined) => string | undefined;

/**
 * The rule of who may speak for a host: its own user and transcribers', if each host has the user that `trigger permissions` prints.
 * `own` is the user of the transcriber of host `self`. If that is another user than the printed one, anyone may speak for a host.
 */
export function sendersOf(config: Pick<ReadConfig, "hosts">, self: string, own: string | undefined): WrongSender {
  if (own !== hostUserName(self)) return () => undefined;
  const everybodys = transcriberUsers(config);
  return (host, user) => {
    if (user === hostUserName(host) || everybodys.has(user ?? "")) return undefined;
    return `it speaks for ${host}, and was sent ${sayBy(user)}: expected ${hostUserName(host)}`;
  };
}

/**
 * The rule of who may give orders: transcribers alone, if each host has the user that `trigger permissions` prints.
 * Users that may send messages to a plain service publish under the same keys, and are no transcribers.
 * `own` is the user of host `self`. If that is another user than the printed one, anyone may give orders, as above.
 */
export function orderersOf(config: Pick<ReadConfig, "hosts">, self: string, own: string | undefined): WrongOrderer {
  if (own !== hostUserName(self)) return () => undefined;
  const transcribers = transcriberUsers(config);
  return (user) =>
    transcribers.has(user ?? "")
      ? undefined
      : `it is an order, and was sent ${sayBy(user)}: expected ${[...transcribers].join(" or ")}`;
}

const transcriberUsers = (config: Pick<ReadConfig, "hosts">) => new Set(transcribersOf(config).map(hostUserName));

const sayBy = (user: string | undefined): string =>
  user === undefined ? "without the name of its broker user" : `by the broker user ${user}`;
