import { z } from "zod";
import { addressBits, cleanIpv4, cleanIpv6, DomainName, Hostname, Ip, Prefix } from "../core/service/columns.ts";
import type { Schemas } from "./settings.ts";

/** A name of a host by which programs find a service without being told. */
export type DiscoveryName = "localhost" | "wpad" | "isatap" | "autodiscover" | "autoconfig";

/**
 * The machine with such a name gets the traffic, the mail passwords or the proxy of others. The names are reserved at
 * every depth of a zone, as clients also ask in subdomains.
 */
const discoveryNames: readonly DiscoveryName[] = ["localhost", "wpad", "isatap", "autodiscover", "autoconfig"];

/** The names and addresses of hosts that no row may have. */
export interface ReservedHostNames {
  /**
   * Names, addresses and networks that no row may have: `["www", "ns1", "10.0.0.1", "10.0.1.0/24"]`; none by default. The names by which
   * programs find a service, and the addresses that no machine has, need not be among them.
   */
  readonly reserved?: readonly string[];
  /** Names among `localhost`, `wpad`, `isatap`, `autodiscover` and `autoconfig` that rows may have; none by default. */
  readonly allowed?: readonly DiscoveryName[];
}

/** The setting of addresses and networks that no row may have. */
export const reservedAddresses = z.array(z.union([Ip, Prefix], "is not an address or a network")).default([]);

/** The settings of names and addresses that no row may have. */
export const reservedSettings = {
  reserved: z
    .array(z.union([Ip, Prefix, Hostname, DomainName], "is not a host name, an address or a network"))
    .default([]),
  allowed: z
    .array(z.enum(discoveryNames, `is not a name that is reserved by default: ${discoveryNames.join(", ")}`))
    .default([]),
} satisfies Schemas<ReservedHostNames>;

/** A test that gives the reason why a clean host name, alone or with its domain, is reserved; undefined if it is not. */
export function reservedHostNames({
  reserved = [],
  allowed = [],
}: ReservedHostNames): (name: string) => string | undefined {
  const discovery = new Set<string>(discoveryNames.filter((name) => !allowed.includes(name)));
  const own = new Set(reserved);
  return (name) => {
    const [label = ""] = name.split(".");
    if (discovery.has(label)) return `is reserved: programs look for ${label} by themselves (option allowed)`;
    return own.has(name) || own.has(label) ? "is reserved (option reserved)" : undefined;
  };
}

/** A column of host names without the reserved ones. */
export function unreserved<Name extends z.ZodType<string, string>>(name: Name, reserved: ReservedHostNames): Name {
  const why = reservedHostNames(reserved);
  return name.refine((text) => why(text) === undefined, {
    error: ({ input }) => why(String(input)) ?? "is no host name",
  }) as Name;
}

/** A test that gives the reason why an address is reserved; undefined if it is not, or if the text is no address. */
export function reservedAddress(reserved: readonly string[]): (address: string) => string | undefined {
  const known = reserved.flatMap((one) => {
    const [address = "", length] = one.split("/");
    if (!isAddress(address)) return [];
    const bits = addressBits(address);
    return [{ one, all: bits.length, head: bits.slice(0, length === undefined ? bits.length : Number(length)) }];
  });
  return (text) => {
    const address = cleanIpv4(text) ?? cleanIpv6(text);
    if (known.length === 0 || address === undefined) return undefined;
    const bits = addressBits(address);
    const found = known.find(({ all, head }) => all === bits.length && bits.startsWith(head));
    return found && `is reserved: ${found.one} (option reserved)`;
  };
}

const isAddress = (text: string): boolean => (cleanIpv4(text) ?? cleanIpv6(text)) !== undefined;

/** A column of addresses without the reserved ones. */
export function unreservedAddress<Address extends z.ZodType<string, string>>(
  address: Address,
  reserved: readonly string[] = [],
): Address {
  const why = reservedAddress(reserved);
  return address.refine((text) => why(text) === undefined, {
    error: ({ input }) => why(String(input)) ?? "is no address",
  }) as Address;
}
