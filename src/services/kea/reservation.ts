import type { Json } from "../../core/util/json.ts";

/**
 * A reservation as Kea writes it, and its parts that trigger compares: its client, and the settings for that client.
 */

export type Family = 4 | 6;
/** The identifier by which the rows name their clients. */
export type Identifier = "hw-address" | "duid";

/** A reservation in Kea's own words. */
export type Reservation = { readonly [word: string]: Json };

/**
 * The content of a reservation. Settings that the rows do not have (options, a boot file, further addresses) are
 * kept as Kea writes them.
 */
export type Content = {
  readonly ip?: string;
  readonly name?: string;
  readonly classes?: readonly string[];
  /** The id of the reservation's subnet (0: the global ones), if its address belongs elsewhere. */
  readonly subnet?: number;
  /** Further reservations of the same client. */
  readonly also?: readonly Content[];
  readonly [word: string]: Json;
};

const identifiers = ["hw-address", "duid", "client-id", "circuit-id", "flex-id"];

/**
 * The name of a reservation: the client's address itself if rows name it so. Another identifier has its type before
 * it, so that it never equals the name of a row.
 */
export function nameOf(reservation: Reservation, by: Identifier): string {
  const type = identifiers.find((word) => typeof reservation[word] === "string") ?? "unknown";
  const value = String(reservation[type] ?? "").toLowerCase();
  // Kea writes some without colons (client-id), and may read all of them so.
  const pairs = /^[0-9a-f]+$/.test(value) ? (value.match(/../g)?.join(":") ?? value) : value;
  return type === by ? pairs : `${type} ${pairs}`;
}

/** The content of a reservation, wherever it is. */
export function contentOf(reservation: Reservation): Content {
  const { hostname, "ip-address": ip4, "ip-addresses": ip6, "client-classes": classes, ...others } = reservation;
  const rest = Object.entries(others).filter(
    ([word, value]) => !identifiers.includes(word) && word !== "subnet-id" && !isDefault(value),
  );
  const one = Array.isArray(ip6) && ip6.length === 1 ? ip6[0] : ip4;
  return {
    ...Object.fromEntries(rest),
    ...(Array.isArray(ip6) && ip6.length > 1 && { "ip-addresses": ip6 }),
    ...(typeof one === "string" && one !== "0.0.0.0" && { ip: one }),
    ...(typeof hostname === "string" && hostname !== "" && { name: hostname }),
    ...(Array.isArray(classes) && classes.length > 0 && { classes: classes.map(String) }),
  };
}

/** The reservation of a row, in Kea's words. */
export function reservationOf(name: string, { ip, name: hostname, classes }: Content, by: Identifier, family: Family) {
  return {
    [by]: name,
    ...(ip !== undefined && (family === 4 ? { "ip-address": ip } : { "ip-addresses": [ip] })),
    ...(hostname !== undefined && { hostname }),
    ...(classes !== undefined && { "client-classes": [...classes] }),
  } satisfies Reservation;
}

/** The contents by name: several reservations of one client are one content. */
export function contents(reservations: Iterable<readonly [name: string, content: Content]>): Map<string, Content> {
  const found = new Map<string, Content>();
  for (const [name, content] of reservations) {
    const first = found.get(name);
    found.set(name, first === undefined ? content : { ...first, also: [...(first.also ?? []), content] });
  }
  return found;
}

/** The defaults that Kea writes. */
function isDefault(value: Json): boolean {
  return value === undefined || value === "" || value === "0.0.0.0" || (Array.isArray(value) && value.length === 0);
}
