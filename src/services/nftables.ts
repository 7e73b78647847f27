import { z } from "zod";
import type { Command, Host } from "../core/service/host-api.ts";
import { type Select, service } from "../core/service/service.ts";
import { Refusal, refusedBecause, UserError } from "../core/util/errors.ts";
import type { Columns } from "../core/util/json.ts";
import { claiming, selecting } from "./entries.ts";
import { noMachineHas, noMachineHasMac } from "./machine-address.ts";
import { bootFiles } from "./nft/boot.ts";
import { nftOn } from "./nft/kernel.ts";
import {
  columnsOf,
  columnsOfElement,
  type ElementSet,
  lackingColumns,
  readSets,
  rowOf,
  setSettings,
} from "./nft/sets.ts";
import { bringTable, type Context, isDeclaredAs, nameOf } from "./nft/table.ts";
import { reservedAddress, reservedAddresses } from "./reserved-host-names.ts";
import {
  command,
  type Daemon,
  type PerHost,
  path,
  type ReadyService,
  readSettings,
  type Schemas,
  type Selected,
} from "./settings.ts";

const families = ["inet", "ip", "ip6", "bridge", "netdev", "arp"] as const;
const rules = z.string().refine((text) => text.startsWith("/") || wrongRules(text) === undefined, {
  error: ({ input }) => wrongRules(String(input)) ?? "is not a text",
});

/** The settings of `nftables`. */
export interface NftablesSettings {
  /** The family of the table; `inet` by default. */
  readonly family?: "inet" | "ip" | "ip6" | "bridge" | "netdev" | "arp";
  /** The name of the table, which is trigger's alone; `trigger` by default. */
  readonly table?: string;
  /** The content of the table besides the sets, in nft's language: chains with their rules. Or the absolute path of a file with it. */
  readonly rules: string;
  /** The file that `nft` reads at boot; `/etc/nftables.d/TABLE.nft` by default, false for none. */
  readonly path?: string | false;
  /** The command of nft; in a network namespace `["ip", "netns", "exec", "campus", "nft"]`. */
  readonly nft?: Command;
}

const settings = z.strictObject({
  family: z.enum(families, `is not a family of nft: expected ${families.join(", ")}`).default("inet"),
  table: z
    .string()
    .regex(/^[a-zA-Z][a-zA-Z0-9_]{0,31}$/, "is not the name of a table (a letter, then letters, digits and _)")
    .default("trigger"),
  rules,
  path: path.or(z.literal(false)).optional(),
  nft: command.default(["nft"]),
} satisfies Schemas<NftablesSettings>);

const tableSettings = z.strictObject({
  sets: setSettings.refine((sets) => Object.keys(sets).length > 0, "is empty: a table needs a set"),
  unique: z.array(z.string()).min(1, "is empty: a set needs a unique column").optional(),
  reserved: reservedAddresses,
});

/** A set or map of nft. */
export interface SetIn {
  /** The type of the elements, as nft writes it: `ether_addr . ipv4_addr`, of a map `ipv4_addr : mark`. */
  readonly type: string;
  /** The columns of a row that make an element, in the order of the type. */
  readonly columns: readonly string[];
  /** True: elements are ranges or networks. False by default. */
  readonly interval?: boolean;
  /** True: each element counts its packets. False by default. */
  readonly counter?: boolean;
}

/** Sets and maps, as the options give them. */
export interface SetsIn {
  /** A set or map by its name, `set`. */
  readonly [set: string]: SetIn;
}

/** The sets of a service whose options have none: pairs of MAC and IP address that belong together. */
export interface MemberSets extends SetsIn {
  /** The pairs with an IPv4 address. */
  readonly members4: { readonly type: "ether_addr . ipv4_addr"; readonly columns: readonly ["mac", "ip"] };
  /** The pairs with an IPv6 address. */
  readonly members6: { readonly type: "ether_addr . ipv6_addr"; readonly columns: readonly ["mac", "ip"] };
}

const members: MemberSets = {
  members4: { type: "ether_addr . ipv4_addr", columns: ["mac", "ip"] },
  members6: { type: "ether_addr . ipv6_addr", columns: ["mac", "ip"] },
};

/** The columns of all sets: a row has those of the sets that it is an element of. */
export type RowIn<Sets extends SetsIn> = { readonly [column in Sets[keyof Sets]["columns"][number]]?: string };

/** The options of `nftables`. */
export interface NftablesOptions<Sets extends SetsIn>
  extends NftablesSettings,
    PerHost<NftablesSettings>,
    Selected<RowIn<Sets>> {
  /** The sets and maps by name; `members4` and `members6` by default. */
  readonly sets?: Sets;
  /** Columns of which no two rows share a value; the last one of each set's key by default. */
  readonly unique?: readonly (Sets[keyof Sets]["columns"][number] & string)[];
  /** The daemon whose restart causes a run on all rows; the unit `nftables.service` by default, false for none. */
  readonly daemon?: Daemon | false;
  /** Addresses and networks that no machine of the standard `select` may have: `["10.0.0.1", "10.0.1.0/24"]`; none by default. */
  readonly reserved?: readonly string[];
  /** `"remove"`: a row that is refused is removed, rather than left as it was. */
  readonly refused?: "remove";
}

/**
 * A table of nft with the administrator's own rules, whose sets and maps hold the elements of the rows.
 *
 * @example
 * ```ts
 * export default nftables({ rules: "/etc/nftables/members.rules" });
 * ```
 */
export function nftables<const Sets extends SetsIn = MemberSets>(
  options: NftablesOptions<Sets>,
): ReadyService<RowIn<Sets>, Columns> {
  const { sets: givenSets, unique: givenUnique, select, entries, claims, refused, reserved, ...rest } = options;
  const { daemon = { unit: "nftables.service" }, ...given } = rest;
  const others = ["sets", "unique", "reserved", "daemon", "refused", "select", "entries", "claims", "on"];
  const settingsOf = readSettings("nftables", settings, given, others);
  const read = {
    sets: givenSets ?? members,
    ...(givenUnique ? { unique: givenUnique } : {}),
    ...(reserved ? { reserved } : {}),
  };
  if (select && reserved)
    throw new UserError("nftables: reserved applies to the standard select: write it into your own");
  const declared = readSettings("nftables", tableSettings, read)("");
  const sets = readSets(declared.sets);
  const unique = uniqueOf(sets, declared.unique);
  if (!select && columnsOf(sets).sort().join() !== "ip,mac") {
    const columns = columnsOf(sets).join(", ");
    throw new UserError(`nftables: select: is missing: without it rows have the columns mac and ip, not ${columns}`);
  }
  const contextOn = async (host: Host): Promise<Context> => {
    const { family, table, path = `/etc/nftables.d/${table}.nft`, nft, rules } = settingsOf(host.name);
    const boot = path === false ? undefined : bootFiles(host, path);
    return { host, nft: nftOn(host, nft), place: { family, table }, sets, ...(await readRules(host, rules)), boot };
  };
  return service<RowIn<Sets>, Columns, RowIn<Sets> | readonly RowIn<Sets>[] | undefined>({
    row: rowOf(sets, unique),
    unique,
    ...claiming("nftables", claims),
    ...(daemon ? { daemon } : {}),
    ...(refused ? { refused } : {}),
    select: selecting("nftables", machines(declared.reserved), { select, entries }),
    run: async (table, host) => bringTable(table, await contextOn(host)),
    observe: async (host) => observed(await contextOn(host), unique),
  } as Parameters<typeof service<RowIn<Sets>, Columns, RowIn<Sets> | readonly RowIn<Sets>[] | undefined>>[0]);
}

/** The content of the kernel, as rows: elements that agree on their first unique column are of one row. */
async function observed({ host, nft, place, sets }: Context, unique: readonly string[]): Promise<Columns[]> {
  const there = await nft.list(place, sets);
  if (!there) host.log(`there is no ${nameOf(place)}`);
  else if (!isDeclaredAs(host, there))
    host.log(`the rules or sets of ${nameOf(place)} differ from the ones that trigger wrote`);
  for (const element of there?.strange ?? [])
    host.log(`${nameOf(place)} has an element that matches no possible row: ${element}`);
  const rows = new Map<string, Columns>();
  for (const set of sets) {
    for (const [key, value] of there?.elements.get(set.name) ?? []) {
      const columns = columnsOfElement([set, key, value]);
      const column = unique.find((one) => one in columns);
      const name = `${column} ${columns[column ?? ""]}`;
      rows.set(name, { ...rows.get(name), ...columns });
    }
  }
  return [...rows.values()].map((row) => ({ ...lackingColumns(sets, unique, row), ...row }));
}

function uniqueOf(sets: readonly ElementSet[], given: readonly string[] | undefined): readonly string[] {
  const unique = given ?? [...new Set(sets.flatMap(({ keyColumns }) => keyColumns.slice(-1)))];
  const lacking = sets.find(({ keyColumns }) => !keyColumns.some((column) => unique.includes(column)));
  if (lacking) {
    throw new UserError(
      `nftables: unique: two rows could be one element of ${lacking.name}: expected one of its columns (${lacking.keyColumns.join(", ")})`,
    );
  }
  const unknown = unique.find((column) => !columnsOf(sets).includes(column));
  if (unknown !== undefined) throw new UserError(`nftables: unique: ${unknown} is no column of a set`);
  return unique;
}

async function readRules(host: Host, rules: string): Promise<Pick<Context, "rules" | "fault">> {
  if (!rules.startsWith("/")) return { rules, fault: undefined };
  const bytes = await host.files.read(rules);
  const text = bytes && new TextDecoder().decode(bytes);
  const wrong = text === undefined ? "is not there" : wrongRules(text);
  return { rules: text ?? "", fault: wrong === undefined ? undefined : new Error(`${rules} ${wrong}`) };
}

/**
 * The reason why a text cannot be inside a table: a surplus brace would end the table, and the rest would change other
 * tables.
 */
function wrongRules(text: string): string | undefined {
  let depth = 0;
  for (const [one] of text.replace(/#.*|"[^"\n]*"/g, "").matchAll(/[{}]/g)) {
    depth += one === "{" ? 1 : -1;
    if (depth < 0) return "has a } that ends the table: give only the text inside table { … }";
  }
  return depth === 0 ? undefined : "has a { that is not closed";
}

/** The machines of RFC 2307: each address of an ieee802Device that is an ipHost, with its one MAC address. */
const machines = (reserved: readonly string[]): Select<{ readonly mac: string; readonly ip: string }> => {
  const whyReserved = reservedAddress(reserved);
  return (machine) => {
    if (!machine.is("ieee802Device") || !machine.has("macAddress") || !machine.has("ipHostNumber")) return;
    const [mac, ...others] = machine.all("macAddress");
    if (mac === undefined || others.length > 0) {
      throw new Refusal(`macAddress has several values (${machine.all("macAddress").join(", ")}): expected one`);
    }
    return machine.all("ipHostNumber").map((ip) => {
      const why =
        noMachineHas(ip) ??
        whyReserved(ip) ??
        (noMachineHasMac(mac) && `(its macAddress ${mac}) ${noMachineHasMac(mac)}`);
      return { mac, ip, ...(why !== undefined && { [refusedBecause]: new Refusal(`ipHostNumber ${ip} ${why}`) }) };
    });
  };
};
