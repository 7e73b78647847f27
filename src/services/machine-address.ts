import { addressBits, cleanIpv4, cleanIpv6, cleanMac, Ip, Ipv4, Ipv6, Mac } from "../core/service/columns.ts";

/** Addresses that a machine may have in a directory. A member's entry cannot claim the address of every machine, or of a group. */

/** The networks whose addresses no machine has, each with its kind and source. */
const networks: readonly (readonly [network: string, length: number, what: string])[] = [
  ["0.0.0.0", 8, 'of "this network" (RFC 1122, 3.2.1.3)'],
  ["127.0.0.0", 8, "a loopback address (RFC 1122, 3.2.1.3)"],
  ["169.254.0.0", 16, "a link-local address (RFC 3927)"],
  ["192.0.0.0", 24, "an address of protocols (RFC 6890, 2.2.2)"],
  ["224.0.0.0", 4, "a multicast address (RFC 5771)"],
  ["255.255.255.255", 32, "the broadcast address (RFC 8190)"],
  ["240.0.0.0", 4, "a reserved address (RFC 1112, 4)"],
  ["::", 128, "the unspecified address (RFC 4291, 2.5.2)"],
  ["::1", 128, "the loopback address (RFC 4291, 2.5.3)"],
  ["::", 96, "an IPv4-compatible address (RFC 4291, 2.5.5.1)"],
  ["::ffff:0.0.0.0", 96, "an IPv4-mapped address (RFC 4291, 2.5.5.2)"],
  ["100::", 64, "a discard-only address (RFC 6666)"],
  ["fe80::", 10, "a link-local address (RFC 4291, 2.5.6)"],
  ["ff00::", 8, "a multicast address (RFC 4291, 2.7)"],
];
const known = networks.map(([network, length, what]) => {
  const bits = addressBits(network);
  return { all: bits.length, head: bits.slice(0, length), what };
});

/** The reason why no machine may have an address; undefined if one may, or if the text is no address. */
export function noMachineHas(text: string): string | undefined {
  const address = cleanIpv4(text) ?? cleanIpv6(text);
  if (address === undefined) return undefined;
  const bits = addressBits(address);
  const found = known.find(({ all, head }) => all === bits.length && bits.startsWith(head));
  return found && `is ${found.what}, which no machine has`;
}

/** The reason why no machine may have a MAC address; undefined if one may, or if the text is none. */
export function noMachineHasMac(text: string): string | undefined {
  const mac = cleanMac(text);
  if (mac === undefined) return undefined;
  if (mac === "00:00:00:00:00:00") return "is zero, which no machine has";
  return Number.parseInt(mac.slice(0, 2), 16) & 1 ? "is a group address (IEEE 802), which no machine has" : undefined;
}

const isMachines = (text: string): boolean => noMachineHas(text) === undefined;
const error = ({ input }: { readonly input?: unknown }): string => noMachineHas(String(input)) ?? "is no address";

/** The columns of addresses that a machine may have. */
export const [MachineIp, MachineIpv4, MachineIpv6] = [
  Ip.refine(isMachines, { error }),
  Ipv4.refine(isMachines, { error }),
  Ipv6.refine(isMachines, { error }),
];

/** The column of MAC addresses that a machine may have. */
export const MachineMac = Mac.refine((text) => noMachineHasMac(text) === undefined, {
  error: ({ input }) => noMachineHasMac(String(input)) ?? "is no MAC address",
});
