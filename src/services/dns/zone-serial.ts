/** The serial of a DNS zone (RFC 1035, 3.3.13), which secondaries compare by RFC 1982: it must never go back. */

const modulus = 2 ** 32;

/** True if serial `a` comes after `b` (RFC 1982, 3.2). */
export function laterSerial(a: number, b: number): boolean {
  const ahead = (a - b + modulus) % modulus;
  return ahead > 0 && ahead < modulus / 2;
}

/**
 * The serial after the used ones: today's first (`YYYYMMDD00`) if that is later, otherwise one more; with `style`
 * `"increment"` always one more.
 */
export function nextSerial(used: number | undefined, today: Date, style: "date" | "increment"): number {
  const first = style === "date" ? Number(`${today.toISOString().slice(0, 10).replaceAll("-", "")}00`) : 1;
  if (used === undefined || (style === "date" && laterSerial(first, used))) return first;
  return (used + 1) % modulus || 1; // 0 is a special value to some secondaries
}

/** The serial in the text of a zone, which may be a foreign one. */
export function serialIn(zone: string): number | undefined {
  const plain = zone.replace(/;[^\n]*/g, "");
  const [, digits] = /\bSOA\s+\S+\s+\S+\s*\(?\s*(\d{1,10})\b/i.exec(plain) ?? [];
  return digits === undefined ? undefined : Number(digits) % modulus;
}

/** The latest of several serials. */
export function latestSerial(...serials: readonly (number | undefined)[]): number | undefined {
  let latest: number | undefined;
  for (const serial of serials) {
    if (serial !== undefined && (latest === undefined || laterSerial(serial, latest))) latest = serial;
  }
  return latest;
}
