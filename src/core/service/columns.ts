import { z } from "zod";
import { UserError } from "../util/errors.ts";

/**
 * String columns with one form for each value: `2001:DB8::1` and `2001:db8:0::1` are equal rows. Each column accepts
 * its own output unchanged. It admits no character that could inject configuration.
 */

/**
 * Declares a string column. `what` names its values in a refusal ("is not …"). `clean` returns the one form of a text,
 * or undefined for a text that is no such value. It only receives texts of 1 to 1,024 printable ASCII characters
 * without space; all others are refused before.
 *
 * @example
 * ```ts
 * const Room = column("a room (B-204)", (text) => (/^[a-z]-[0-9]{3}$/i.test(text) ? text.toUpperCase() : undefined));
 * ```
 */
export function column(what: string, clean: (text: string) => string | undefined) {
  if (typeof clean !== "function") {
    throw new UserError(
      `column(${JSON.stringify(what)}, …): expected a function that gives the one form of a text, or undefined`,
    );
  }
  const wrong = `is not ${what}`;
  let known: { readonly text: string; readonly form: string | undefined } = { text: "", form: undefined };
  const cleaned = (text: string) => {
    // Nearly every text is already in that form, and each is checked twice.
    if (text !== known.text) known = { text, form: plain.test(text) ? clean(text) : undefined };
    return known.form;
  };
  return z
    .string({ error: ({ input }) => (input === undefined ? "is missing" : wrong) })
    .overwrite((text) => cleaned(text) ?? text)
    .refine((text) => cleaned(text) === text, wrong);
}

/** ASCII alone: other letters have case rules of their own (the Kelvin sign is a `k` in lower case). */
const plain = /^[\x21-\x7e]{1,1024}$/;

/** An Ethernet address as `aa:bb:cc:dd:ee:ff`, from `AA-BB-CC-DD-EE-FF`, `aabb.ccdd.eeff`, `aabbccddeeff` or `0:1a:2:3:4:5`. */
export const Mac = column("a MAC address (aa:bb:cc:dd:ee:ff)", cleanMac);

/** An IPv4 address in dotted decimal, without leading zeros. */
export const Ipv4 = column("an IPv4 address (10.0.0.7)", cleanIpv4);

/** An IPv6 address in the form of RFC 5952, without a zone. */
export const Ipv6 = column("an IPv6 address (2001:db8::7)", cleanIpv6);

/** An IPv4 or IPv6 address. */
export const Ip = column("an IP address (10.0.0.7 or 2001:db8::7)", cleanIp);

/**
 * A network, `10.0.0.0/8` or `2001:db8::/32`. Bits beyond its length are refused: `10.0.0.7/24` may mean a host or a
 * network.
 */
export const Prefix = column("a network (10.0.0.0/8 or 2001:db8::/32, no bits beyond its length)", cleanPrefix);

/** The name of one host without its domain: a label of RFC 1123, in lower case. */
export const Hostname = column(
  "a host name (at most 63 of a-z, 0-9 and -, no - at either end, no domain)",
  cleanHostname,
);

/** A name with its domain, in lower case, without the final dot; a label may begin with `_` (`_dmarc.campus.example`). */
export const DomainName = column("a domain name (host.campus.example)", cleanDomainName);

/**
 * A mail address whose local part needs no quotes. The domain is put in lower case. The local part stays as it is: only
 * its domain knows its rules (RFC 5321, 2.4).
 */
export const Mail = column("a mail address (name@campus.example, of a-z, A-Z, 0-9 and . _ + = & ~ -)", cleanMail);

/** A portable user name (POSIX.1-2017, 3.437), of at most 32 characters, not a number (that would be read as a uid). */
export const UserName = column("a user name (at most 32 of a-z, A-Z, 0-9, . _ and -, no . or - first)", cleanUserName);

/** A uid or gid, 0 to 4294967294, as the text that the directory has: `Number(row.uid)` is the number. */
export const Uid = column("a uid or gid (0 to 4294967294, decimal)", cleanUid);

/** An absolute path of plain names, such as a home: no `..`, no repeated or final slash, not `/` itself. */
export const AbsolutePath = column(
  "an absolute path (/home/name, names of a-z, A-Z, 0-9 and . _ @ + -)",
  cleanAbsolutePath,
);

const pairs = /^([0-9a-f]{1,2}[:-]){5}[0-9a-f]{1,2}$/;
const bare = /^([0-9a-f]{12}|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4})$/;

export function cleanMac(text: string): string | undefined {
  const lower = text.toLowerCase();
  const oneSeparator = !(lower.includes(":") && lower.includes("-"));
  if (pairs.test(lower) && oneSeparator) return lower.split(/[:-]/).map(pad).join(":");
  if (bare.test(lower)) return lower.replaceAll(".", "").match(/../g)?.join(":");
  return undefined;
}

const pad = (octet: string): string => octet.padStart(2, "0");

const octet = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const ipv4 = new RegExp(`^${octet}(\\.${octet}){3}$`);

export function cleanIpv4(text: string): string | undefined {
  return ipv4.test(text) ? text : undefined;
}

export function cleanIpv6(text: string): string | undefined {
  if (!/^[0-9a-fA-F:.]{2,45}$/.test(text) || !URL.canParse(`http://[${text}]`)) return undefined;
  const short = new URL(`http://[${text}]`).hostname.slice(1, -1); // URL writes addresses as RFC 5952, 4 says
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(short);
  if (!mapped) return short;
  const [high, low] = [Number.parseInt(mapped[1] ?? "", 16), Number.parseInt(mapped[2] ?? "", 16)];
  return `::ffff:${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`; // RFC 5952, 5
}

function cleanIp(text: string): string | undefined {
  return cleanIpv4(text) ?? cleanIpv6(text);
}

export function cleanPrefix(text: string): string | undefined {
  const [, address, digits] = /^([^/]*)\/(0|[1-9][0-9]{0,2})$/.exec(text) ?? [];
  if (address === undefined) return undefined;
  const clean = cleanIp(address);
  if (clean === undefined) return undefined;
  const length = Number(digits);
  const bits = addressBits(clean);
  if (length > bits.length || bits.indexOf("1", length) >= 0) return undefined;
  return `${clean}/${length}`;
}

/** The bits of a clean address as `0` and `1`: 32 or 128 of them. */
export function addressBits(address: string): string {
  const groups = address.includes(":")
    ? ipv6Groups(address).map((group) => group.toString(2).padStart(16, "0"))
    : address.split(".").map((number) => Number(number).toString(2).padStart(8, "0"));
  return groups.join("");
}

/** The eight groups of a clean IPv6 address. */
export function ipv6Groups(address: string): number[] {
  const plain = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((group) => group.toString(16)).join(":"),
  );
  const [head = "", tail] = plain.split("::");
  const groups = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((hex) => Number.parseInt(hex, 16));
  if (tail === undefined) return groups(head);
  const zeros = 8 - groups(head).length - groups(tail).length;
  return [...groups(head), ...new Array<number>(zeros).fill(0), ...groups(tail)];
}

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

function cleanHostname(text: string): string | undefined {
  const lower = text.toLowerCase();
  return label.test(lower) ? lower : undefined;
}

function cleanDomainName(text: string): string | undefined {
  const lower = text.toLowerCase().replace(/\.$/, "");
  if (lower.length > 253) return undefined;
  const labels = lower.split(".");
  const valid = labels.every((part) => part.length <= 63 && label.test(part.replace(/^_/, "")));
  // A last label of digits alone is refused: the name would read as an address.
  return valid && labels.length > 1 && !/^([0-9]+|_.*)$/.test(labels.at(-1) ?? "") ? lower : undefined;
}

const localPart = /^[A-Za-z0-9_+=&~-]+(\.[A-Za-z0-9_+=&~-]+)*$/;

export function cleanMail(text: string): string | undefined {
  const at = text.lastIndexOf("@");
  const local = text.slice(0, at);
  // A first - would be read as an option by programs that take addresses as arguments.
  if (at < 1 || local.length > 64 || text.length > 254 || local.startsWith("-") || !localPart.test(local)) {
    return undefined;
  }
  const domain = cleanDomainName(text.slice(at + 1));
  return domain === undefined || domain.includes("_") || text.endsWith(".") ? undefined : `${local}@${domain}`;
}

function cleanUserName(text: string): string | undefined {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]{0,31}$/.test(text) && !/^[0-9]+$/.test(text) ? text : undefined;
}

function cleanUid(text: string): string | undefined {
  return /^(0|[1-9][0-9]{0,9})$/.test(text) && Number(text) <= 4294967294 ? text : undefined;
}

const pathName = /^[A-Za-z0-9._@+][A-Za-z0-9._@+-]{0,254}$/;

function cleanAbsolutePath(text: string): string | undefined {
  if (!text.startsWith("/")) return undefined;
  const names = text.split("/").filter((name) => name !== "");
  if (names.length === 0 || names.some((name) => name === "." || name === ".." || !pathName.test(name))) {
    return undefined;
  }
  return `/${names.join("/")}`;
}
