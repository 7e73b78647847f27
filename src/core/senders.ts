import { type ReadConfig, transcribersOf } from "./config.ts";
import { hostUserName } from "./permissions.ts";

/** Says why a user of the broker cannot speak for a host, or gives undefined when it can. */
export type WrongSender = (host: string, user: string | undefined) => string | undefined;

/**
 * Who may speak for a host where each host has the user that `trigger permissions` prints: its own, and a transcriber's, which may publish anything.
 * `own` is the user of the transcriber of host `self`; where that is another one, users are not of that kind, and anyone may.
 */
export function sendersOf(config: Pick<ReadConfig, "hosts">, self: string, own: string | undefined): WrongSender {
  if (own !== hostUserName(self)) return () => undefined;
  const everybodys = new Set(transcribersOf(config).map(hostUserName));
  return (host, user) => {
    if (user === hostUserName(host) || everybodys.has(user ?? "")) return undefined;
    const by = user === undefined ? "without the name of its broker user" : `by the broker user ${user}`;
    return `it speaks for ${host}, and was sent ${by}: expected ${hostUserName(host)}`;
  };
}
