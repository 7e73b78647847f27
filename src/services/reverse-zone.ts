import { addressBits, ipv6Groups } from "../core/columns.ts";

/** The name of an address in the reverse tree, without the final dot: `7.0.0.10.in-addr.arpa` (RFC 1035, 3.5; RFC 3596, 2.5). */
export function reverseName(address: string): string {
  return reversed(digitsOf(address), address.includes(":"));
}

/**
 * The reverse zones that cover a network, without final dots. A zone ends at a whole number (IPv4) or hexadecimal digit (IPv6),
 * so a network that does not is covered by several: 10.1.0.0/22 by the four zones from 0.1.10.in-addr.arpa to 3.1.10.in-addr.arpa.
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
