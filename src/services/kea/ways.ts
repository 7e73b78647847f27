import type { Host } from "../../core/service/host-api.ts";
import type { Records } from "../records.ts";
import type { Configuration } from "./config.ts";
import type { Control } from "./control.ts";
import type { Content, Family, Identifier } from "./reservation.ts";

/** A Kea that answers, and the facts known about it. */
export interface Kea {
  readonly host: Host;
  readonly control: Control;
  /** The commands that Kea knows: they depend on its version and its hooks. */
  readonly commands: ReadonlySet<string>;
  /** The running configuration, as it was when the run began. */
  readonly config: Configuration;
  readonly family: Family;
  readonly by: Identifier;
  readonly conflicts: Conflicts;
  /** Writes the running configuration, so that Kea starts with it. */
  keep(): Promise<void>;
}

/** The reservations that conflict with the rows of a run. */
export interface Conflicts {
  /** The reasons of rows that wait: a foreign reservation has their address. */
  readonly foreign: Set<string>;
  /** Reservations of ours with the address of another client: something changed them, or they wait themselves. */
  readonly ours: Set<string>;
}

/** One of the ways in which reservations come into a running Kea. */
export interface Way extends Pick<Records<never, Content>, "look" | "write"> {
  /**
   * Makes the written reservations durable for Kea's next start, as each write does: a run that did not end may have
   * missed it.
   */
  keep(): Promise<void>;
}

/** The clients for which each address is reserved, by name. */
export function holders(reservations: Iterable<readonly [name: string, content: Content]>) {
  const found = new Map<string, string[]>();
  for (const [name, content] of reservations) {
    for (const ip of addressesOf(content)) found.set(ip, [...(found.get(ip) ?? []), name]);
  }
  return (ip: string): readonly string[] => found.get(ip) ?? [];
}

function addressesOf({ ip, "ip-addresses": several, also = [] }: Content): string[] {
  const more = Array.isArray(several) ? several.map(String) : [];
  return [...(ip === undefined ? [] : [ip]), ...more, ...also.flatMap(addressesOf)];
}
