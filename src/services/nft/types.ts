import { cleanIpv4, cleanIpv6, cleanMac, cleanPrefix } from "../../core/service/columns.ts";

/** The data types of nft that a directory may fill: each has one form of a value, and rejects any other text. */

export interface DataType {
  /**
   * Reads a value into its one form; undefined if it is not of the type. In an interval set an address may be a
   * network.
   */
  clean(text: string, interval: boolean): string | undefined;
  /** A value as nft reads it. */
  write(value: string): string;
  /** A value as `nft -j` shows it. */
  read(shown: unknown): string | undefined;
}

const same = (value: string): string => value;
const text = (shown: unknown): string | undefined =>
  typeof shown === "string" ? shown : typeof shown === "number" ? String(shown) : undefined;
const plain = (clean: DataType["clean"]): DataType => ({ clean, write: same, read: text });

/** The type of an address. In an interval set, a network of a single address is that address, as nft shows it. */
function address(alone: (text: string) => string | undefined, bits: number): DataType {
  return {
    clean(value, interval) {
      if (!interval || !value.includes("/")) return alone(value);
      const prefix = cleanPrefix(value);
      const [start = "", length] = prefix?.split("/") ?? [];
      if (alone(start) === undefined) return undefined;
      return Number(length) === bits ? start : prefix;
    },
    write: same,
    read(shown) {
      if (typeof shown !== "object" || shown === null || !("prefix" in shown)) return text(shown);
      const { addr, len } = shown.prefix as { addr: unknown; len: unknown };
      return `${String(addr)}/${String(len)}`;
    },
  };
}

const number = (limit: number) => (value: string) => {
  const read = /^(0|[1-9][0-9]{0,9}|0x[0-9a-fA-F]{1,8})$/.test(value) ? Number(value) : Number.NaN;
  return read <= limit ? String(read) : undefined;
};

/** The protocols, written as numbers: a machine may have no /etc/protocols. */
const protocols = new Map(
  Object.entries({ icmp: 1, tcp: 6, udp: 17, gre: 47, esp: 50, ah: 51, "ipv6-icmp": 58, sctp: 132, udplite: 136 }).map(
    ([name, number]) => [name, String(number)],
  ),
);
const protocolNames = new Map([...protocols].map(([name, value]) => [value, name]));

/** A name of a chain, as nft's scanner takes one. */
const chain = "[a-zA-Z][a-zA-Z0-9_./-]{0,126}";
const verdict = new RegExp(`^(accept|drop|continue|return|(jump|goto) ${chain})$`);

export const dataTypes: Readonly<Record<string, DataType>> = {
  ether_addr: plain(cleanMac),
  ipv4_addr: address(cleanIpv4, 32),
  ipv6_addr: address(cleanIpv6, 128),
  inet_service: plain(number(65535)),
  mark: plain(number(4294967295)),
  inet_proto: {
    clean: (value) => (protocols.has(value) ? value : value === "icmpv6" ? "ipv6-icmp" : undefined),
    write: (value) => protocols.get(value) ?? value,
    read: (shown) => protocolNames.get(text(shown) ?? "") ?? text(shown),
  },
  ifname: {
    clean: (value) => (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,14}$/.test(value) ? value : undefined),
    write: (value) => `"${value}"`,
    read: text,
  },
};

/** The type of a map's values that no key has: verdicts. */
export const verdictType: DataType = {
  clean: (value) => (verdict.test(value) ? value : undefined),
  write: same,
  read(shown) {
    const [[name, to] = []] = Object.entries((shown ?? {}) as Record<string, { target?: unknown } | null>);
    return name && (to?.target === undefined ? name : `${name} ${String(to.target)}`);
  },
};

/** A type as a set declares it: several joined by ` . ` are a concatenation. */
export interface Type {
  readonly name: string;
  readonly interval: boolean;
  readonly parts: readonly DataType[];
}

/** Reads a text of one or more parts joined by ` . ` into its one form. */
export function clean({ parts, interval }: Type, given: string): string | undefined {
  if (!/^[\x20-\x7e]{1,1024}$/.test(given)) return undefined;
  const values = given.split(" . ");
  if (values.length !== parts.length) return undefined;
  const read = parts.map((part, index) => part.clean(values[index] ?? "", interval));
  return read.includes(undefined) ? undefined : read.join(" . ");
}

/** A clean text as nft reads it. */
export const write = ({ parts }: Type, value: string): string =>
  value
    .split(" . ")
    .map((one, index) => parts[index]?.write(one) ?? one)
    .join(" . ");

/** The one form of a value that `nft -j` shows; undefined for a value of another kind, such as a range. */
export function read(type: Type, shown: unknown): string | undefined {
  const values = isConcatenation(shown) ? shown.concat : [shown];
  if (values.length !== type.parts.length) return undefined;
  // nft may write a value in another form than ours: ::10.0.0.1 is ::a00:1.
  return clean(type, values.map((value, index) => type.parts[index]?.read(value) ?? "").join(" . "));
}

const isConcatenation = (shown: unknown): shown is { concat: unknown[] } =>
  typeof shown === "object" && shown !== null && "concat" in shown && Array.isArray(shown.concat);
