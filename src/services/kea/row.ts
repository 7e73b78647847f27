import { z } from "zod";
import type { Entry } from "../../core/directory/entry.ts";
import { column, DomainName, Hostname } from "../../core/service/columns.ts";
import { Refusal } from "../../core/util/errors.ts";
import { MachineIpv4, MachineIpv6, MachineMac } from "../machine-address.ts";
import { type ReservedHostNames, unreserved, unreservedAddress } from "../reserved-host-names.ts";
import type { Content, Family } from "./reservation.ts";

/** The column by which rows name a client: its MAC address, or its DUID (RFC 8415, 11). */
export type ClientColumn = "mac" | "duid";

/** A client and the address that is reserved for it. */
export type KeaRow = KeaRowBy<"mac"> | KeaRowBy<"duid">;

/** A client, under the column that names it, and the address that is reserved for it. */
export type KeaRowBy<Key extends ClientColumn> = { readonly [key in Key]: string } & {
  /** The address, of the family of the service. */
  readonly ip: string;
  /** The host name that the client is given. */
  readonly name?: string | undefined;
  /** The client's classes in Kea's configuration: they give it further options. */
  readonly classes?: readonly string[] | undefined;
};

/** A DUID in pairs with colons, 3 to 130 octets. */
export const Duid = column("a DUID (00:03:00:01:aa:bb:cc:dd:ee:ff)", (text) => {
  const lower = text.toLowerCase();
  if (/^[0-9a-f]{2}([:-][0-9a-f]{2}){2,129}$/.test(lower)) return lower.replaceAll("-", ":");
  if (/^([0-9a-f]{2}){3,130}$/.test(lower)) return lower.match(/../g)?.join(":");
  return undefined;
});

const ClientName = column(
  "a host name, alone (pc7) or with its domain (pc7.campus.example)",
  (text) => Hostname.safeParse(text).data ?? DomainName.safeParse(text).data,
);

/** Kea keeps the classes of a reservation in one text of 255 characters, divided by commas. */
const classLimit = 255;
const Class = column("the name of a client class (of a-z, A-Z, 0-9 and . _ - )", (text) =>
  /^[A-Za-z0-9._-]{1,128}$/.test(text) ? text : undefined,
);

/** The columns of a row. */
export function rowOf(family: Family, by: ClientColumn, reserved: ReservedHostNames = {}) {
  const fields = {
    ip: unreservedAddress(family === 4 ? MachineIpv4 : MachineIpv6, reserved.reserved),
    name: unreserved(ClientName, reserved).optional(),
    classes: z.preprocess(
      asKeaReturns,
      z
        .array(Class)
        .refine((all) => all.join(",").length <= classLimit, `are longer than ${classLimit} characters together`)
        .optional(),
    ),
  };
  return by === "mac" ? z.object({ mac: MachineMac, ...fields }) : z.object({ duid: Duid, ...fields });
}

/** Classes as Kea returns them: each once, and undefined without any. Otherwise every comparison would find a difference. */
function asKeaReturns(classes: unknown): unknown {
  if (!Array.isArray(classes)) return classes;
  return classes.length === 0 ? undefined : [...new Set(classes)];
}

/** The content of the reservation of a row. */
export function contentOfRow({ ip, name, classes }: Pick<KeaRow, "ip" | "name" | "classes">): Content {
  return { ip, ...(name !== undefined && { name }), ...(classes && classes.length > 0 && { classes: [...classes] }) };
}

/**
 * The machines of RFC 2307: an ieee802Device that is an ipHost, under the first label of its name. One without an
 * address of the family has no row. Several addresses are refused: values of an attribute have no order, so none of
 * them can be matched with a MAC address.
 */
export const machines = (family: Family) => (machine: Entry) => {
  if (!machine.is("ieee802Device") || !machine.has("macAddress")) return;
  const [ip, ...others] = machine.all("ipHostNumber").filter((address) => address.includes(":") === (family === 6));
  if (ip === undefined) return;
  if (others.length > 0) {
    throw new Refusal(`ipHostNumber has several IPv${family} addresses (${[ip, ...others].join(", ")}): expected one`);
  }
  return { mac: machine.one("macAddress"), ip, name: machine.name.split(".")[0] ?? "" };
};
