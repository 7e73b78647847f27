import { addressBits, ipv6Groups, Prefix } from "../../core/service/columns.ts";

/** A network that has reverse zones. */
export const ReverseNetwork = Prefix.refine(
  reversible,
  "has no reverse zone: expected a length of 8 to 24 (IPv4) or 16 to 124 (IPv6)",
);

/** The name of an address in the reverse tree, without the final dot: `7.0.0.10.in-addr.arpa` (RFC 1035, 3.5; RFC 3596, 2.5). */
export function reverseName(address: string): string {
  return reversed(digitsOf(address), address.includes(":"));
}

/**
 * The reverse zones that cover a network, without final dots. A zone ends at a whole number (IPv4) or hexadecimal digit
 * (IPv6). A network that does not is covered by several: 10.1.0.0/22 by the four zones from 0.1.10.in-addr.arpa to
 * 3.1.10.in-addr.arpa.
 */
export function reverseZones(prefix: string): string[] {
  const [address = "", length = ""] = prefix.split("/");
  const v6 = address.includes(":");
  const bitsPerDigit = v6 ? 4 : 8;
  const digits = Math.ceil(Number(length) / bitsPerDigit);
  const bits = addressBits(address);
  const head = bits.slice(0, Number(length));
  const open = digits * bitsPerDigit - head.length;
  return Array.from({ length: 2 ** open }, (_, number) => {
    const zone = head + (open > 0 ? number.toString(2).padStart(open, "0") : "");
    const labels = zone.match(new RegExp(`.{${bitsPerDigit}}`, "g")) ?? [];
    return reversed(
      labels.map((label) => Number.parseInt(label, 2).toString(v6 ? 16 : 10)),
      v6,
    );
  });
}

/** The zone that a name is in: the nearest above it. */
export function zoneAbove(name: string, zones: ReadonlyMap<string, unknown>): string | undefined {
  for (let at = name.indexOf("."); at >= 0; at = name.indexOf(".", at + 1)) {
    if (zones.has(name.slice(at + 1))) return name.slice(at + 1);
  }
  return undefined;
}

function reversible(prefix: string): boolean {
  const length = Number(prefix.split("/")[1]);
  return prefix.includes(":") ? length >= 16 && length <= 124 : length >= 8 && length <= 24;
}

function digitsOf(address: string): string[] {
  if (!address.includes(":")) return address.split(".");
  return ipv6Groups(address).flatMap((group) => [...group.toString(16).padStart(4, "0")]);
}

function reversed(digits: readonly string[], v6: boolean): string {
  return [...digits]
    .reverse()
    .concat(v6 ? "ip6.arpa" : "in-addr.arpa")
    .join(".");
}
