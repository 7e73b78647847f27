import { type ReadConfig, transcribersOf } from "./config.ts";
import { hostUserName } from "./permissions.ts";

/** Says why a user of the broker cannot speak for a host, or gives undefined when it can. */
export type WrongSender = (host: string, user: string | undefined) => string | undefined;

/** Says why a user of the broker cannot give orders, or gives undefined when it can. */
export type WrongOrderer = (user: string | undefined) => string | undefined;

/**
 * Who may speak for a host where each host has the user that `trigger permissions` prints: its own, and a transcriber's, which may publish anything.
 * `own` is the user of the transcriber of host `self`; where that is another one, users are not of that kind, and anyone may.
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
 * Who may give orders where each host has the user that `trigger permissions` prints: transcribers. Whoever may send messages to a plain service
 * publishes under the same keys. `own` is the user of host `self`; where that is another one anyone may, as above.
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
