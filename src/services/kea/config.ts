import { z } from "zod";
import { addressBits, Prefix } from "../../core/service/columns.ts";
import type { Json } from "../../core/util/json.ts";
import { type Content, contentOf, type Family, type Identifier, nameOf, type Reservation } from "./reservation.ts";

/** The running configuration of Kea, as config-get gives it: its subnets, the reservations in them, and the place of a reservation. */

export interface Configuration {
  /** The id of the subnet (0: the global ones) of the reservation of an address; or the reason why it has no place. */
  placeOf(ip: string): { readonly id: number } | { readonly why: string };
  /** The content of a reservation that is in this subnet. */
  contentOf(reservation: Reservation, id: number): Content;
  /** Every reservation in the configuration itself, by the name of its client. */
  readonly reservations: readonly (readonly [name: string, content: Content])[];
  /** The types of the databases in which Kea looks for reservations. */
  readonly databases: readonly string[];
  /** The whole configuration with the reservations of these names replaced. */
  with(edits: ReadonlyMap<string, Placed | undefined>): object;
}

/** A reservation and the id of the subnet that it is to be in. */
export interface Placed {
  readonly id: number;
  readonly reservation: Reservation;
}

/** The place of reservations: in the subnet of their address, or among the global ones. */
export type Where = "subnet" | "global";

// The schema has no defaults: all of it is given back to Kea, which refuses unknown words.
const reservations = z.array(z.record(z.string(), z.custom<Json>())).optional();
const inSubnet = { "reservations-in-subnet": z.boolean().optional() };
const subnet = z.looseObject({ id: z.int(), subnet: z.string(), reservations, ...inSubnet });
const subnets = z.array(subnet).optional();
const network = z.looseObject({ subnet4: subnets, subnet6: subnets, ...inSubnet });
const database = z.looseObject({ type: z.string() });
const dhcp = z.looseObject({
  subnet4: subnets,
  subnet6: subnets,
  "shared-networks": z.array(network).optional(),
  reservations,
  ...inSubnet,
  "reservations-global": z.boolean().optional(),
  "host-reservation-identifiers": z.array(z.string()).optional(),
  "hosts-database": database.optional(),
  "hosts-databases": z.array(database).optional(),
});
type Dhcp = z.output<typeof dhcp>;
type Subnet = z.output<typeof subnet>;

/** Reads the arguments of an answer to config-get. Throws if none of the reservations could work in this Kea. */
export function configuration(given: unknown, family: Family, by: Identifier, where: Where): Configuration {
  const [word, list] = family === 4 ? (["Dhcp4", "subnet4"] as const) : (["Dhcp6", "subnet6"] as const);
  const read = z.object({ [word]: dhcp }).safeParse(given);
  const config = read.data?.[word];
  if (!config)
    throw new Error(`config-get gives no ${word}: is it the socket of kea-dhcp${family}?`, { cause: read.error });
  requireSound(config, by, where);

  const networks = config["shared-networks"] ?? [];
  const inSubnets = config["reservations-in-subnet"] ?? true;
  const scopes = [
    ...(config[list] ?? []).map((subnet) => scopeOf(subnet, inSubnets)),
    ...networks.flatMap((one) =>
      (one[list] ?? []).map((subnet) => scopeOf(subnet, one["reservations-in-subnet"] ?? inSubnets)),
    ),
  ];
  const homes = new Map(scopes.map((scope) => [scope.bits, scope]));
  const lengths = [...new Set(scopes.map(({ bits }) => bits.length))].sort((a, b) => b - a); // the narrowest first

  const placeOf: Configuration["placeOf"] = (ip) => {
    const bits = addressBits(ip);
    const length = lengths.find((length) => homes.has(bits.slice(0, length)));
    const home = length === undefined ? undefined : homes.get(bits.slice(0, length));
    if (!home) return { why: `${ip} is in no subnet of this Kea` };
    if (where === "global") return { id: 0 };
    if (home.looks) return { id: home.id };
    return { why: `the subnet of ${ip} (${home.prefix}) ignores reservations: its "reservations-in-subnet" is false` };
  };
  const content: Configuration["contentOf"] = (reservation, id) => {
    const found = contentOf(reservation);
    const place = found.ip === undefined ? undefined : placeOf(found.ip);
    return place && "id" in place && place.id === id ? found : { ...found, subnet: id };
  };
  const listed = ({ id, reservations = [] }: Pick<Subnet, "id" | "reservations">) =>
    reservations.map((one) => [nameOf(one, by), content(one, id)] as const);

  return {
    placeOf,
    contentOf: content,
    reservations: [{ id: 0, reservations: config.reservations }, ...scopes].flatMap(listed),
    databases: [config["hosts-database"], ...(config["hosts-databases"] ?? [])].flatMap((one) => one?.type ?? []),
    with(edits) {
      const added = new Map<number, Reservation[]>();
      for (const edit of edits.values()) {
        if (!edit) continue;
        const there = added.get(edit.id);
        if (there) there.push(edit.reservation);
        else added.set(edit.id, [edit.reservation]);
      }
      const edited = <Scope extends { reservations?: Reservation[] | undefined }>(scope: Scope, id: number): Scope => {
        const { reservations = [] } = scope;
        const kept = reservations.filter((one) => !edits.has(nameOf(one, by)));
        if (kept.length === reservations.length && !added.has(id)) return scope;
        return { ...scope, reservations: [...kept, ...(added.get(id) ?? [])] };
      };
      const inside = (scope: { readonly [list in "subnet4" | "subnet6"]?: Subnet[] | undefined }) =>
        scope[list] && { [list]: scope[list].map((subnet) => edited(subnet, subnet.id)) };
      return {
        [word]: {
          ...edited(config, 0),
          ...inside(config),
          ...(config["shared-networks"] && { "shared-networks": networks.map((one) => ({ ...one, ...inside(one) })) }),
        },
      };
    },
  };
}

/** A subnet as a place for reservations. */
function scopeOf({ id, subnet, reservations, "reservations-in-subnet": looks }: Subnet, inherited: boolean) {
  const prefix = Prefix.safeParse(subnet).data ?? subnet;
  const [address = "", length] = prefix.split("/");
  return { id, prefix, reservations, looks: looks ?? inherited, bits: addressBits(address).slice(0, Number(length)) };
}

function requireSound(config: Dhcp, by: Identifier, where: Where): void {
  const identifiers = config["host-reservation-identifiers"];
  if (identifiers && !identifiers.includes(by)) {
    throw new Error(
      `Kea does not look for reservations by ${by}: add it to its "host-reservation-identifiers" (${identifiers.join(", ")})`,
    );
  }
  if (where === "global" && config["reservations-global"] !== true) {
    throw new Error(
      'Kea does not look for global reservations: set "reservations-global": true there, or where: "subnet" here',
    );
  }
}
