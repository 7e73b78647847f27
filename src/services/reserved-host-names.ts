import { z } from "zod";
import { DomainName, Hostname } from "../core/service/columns.ts";
import type { Schemas } from "./settings.ts";

/** A name of a host by which programs find a service without being told. */
export type DiscoveryName = "localhost" | "wpad" | "isatap" | "autodiscover" | "autoconfig";

/**
 * The machine with such a name gets the traffic, the mail passwords or the proxy of others. The names are reserved at
 * every depth of a zone, as clients also ask in subdomains.
 */
const discoveryNames: readonly DiscoveryName[] = ["localhost", "wpad", "isatap", "autodiscover", "autoconfig"];

/** The names of hosts that no row may have. */
export interface ReservedHostNames {
  /** Names that no row may have, besides those by which programs find a service: `["www", "mail", "ns1"]`. None by default. */
  readonly reserved?: readonly string[];
  /** Names among `localhost`, `wpad`, `isatap`, `autodiscover` and `autoconfig` that rows may have; none by default. */
  readonly allowed?: readonly DiscoveryName[];
}

/** The settings of names that no row may have. */
export const reservedSettings = {
  reserved: z.array(z.union([Hostname, DomainName], "is not a host name")).default([]),
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
