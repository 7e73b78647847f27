import { Away } from "../../core/util/errors.ts";

/** The messages of a server that refuses a request, with their remedies. */
export interface Refused {
  /** A DNS status, or the error of the key. */
  readonly status: string;
  readonly zone: string;
  readonly server: string;
  readonly key: { readonly path: string; readonly name: string };
  readonly asked: "query" | "transfer" | "update";
}

/** The error of a whole zone, which is the same for all of its names. */
export function remedy({ status, zone, server, key, asked }: Refused): Error {
  const what = `${server}: ${status} to ${asked === "update" ? "an" : "a"} ${asked} of ${zone}`;
  const help: Readonly<Record<string, string>> = {
    BADKEY: `it does not know the key "${key.name}": named.conf needs include "${key.path}"; (then rndc reconfig)`,
    BADSIG: `its key "${key.name}" has another secret or algorithm than ${key.path}`,
    BADTIME: "the clocks of the two machines differ by more than 5 minutes",
    NOTAUTH: `it is not the primary of ${zone}: named.conf needs zone "${zone}" { type primary; … }; or the options server and reverse name others`,
    SERVFAIL: "it cannot serve the zone now: its log says why",
    REFUSED: {
      query: `it has no such zone, or named.conf needs in it: allow-query { key "${key.name}"; };`,
      transfer: `named.conf needs in the zone: allow-transfer { key "${key.name}"; };`,
      update: policy(key.name, zone),
    }[asked],
  };
  const message = help[status] === undefined ? what : `${what}: ${help[status]}`;
  // A server that still loads a zone fails to serve it for a short time.
  return status === "SERVFAIL" ? new Away(message) : new Error(message);
}

/** The message about a single name that the server refuses. */
export function refusal(status: string, zone: string, key: string): string {
  return status === "REFUSED"
    ? `the server refuses to update this name in ${zone}: ${policy(key, zone)}`
    : `the server says ${status} to an update of this name in ${zone}`;
}

const policy = (key: string, zone: string): string =>
  `named.conf needs in the zone: update-policy { grant ${key} zonesub ${zone.endsWith(".arpa") ? "PTR CNAME" : "A AAAA CNAME"}; }; (and the zone must not be frozen: rndc thaw ${zone})`;
