import { createHash } from "node:crypto";
import type { Command, Host } from "../../core/service/host-api.ts";
import { canonical } from "../../core/stream/cells.ts";
import { Away, CommandFailed } from "../../core/util/errors.ts";
import type { Json } from "../../core/util/json.ts";
import type { ElementSet, Elements } from "./sets.ts";
import type { Place } from "./text.ts";
import { read } from "./types.ts";

/** nft on a host: one call is one transaction of the kernel. */

/** The content of a table in the kernel. */
export interface Listing {
  /** A digest of the declarations: chains, rules, sets without their elements. */
  readonly structure: string;
  readonly elements: Elements;
  /** Elements that match no possible row, such as ranges, with their sets as nft shows them. */
  readonly strange: readonly string[];
  /** True if the table declares nothing. */
  readonly empty: boolean;
}

/** The deadline of nft, in milliseconds. A small text takes 10 ms, one of 50,000 elements a second. */
const deadlineOf = (text: string): number => (text.length < 100_000 ? 5000 : 60_000);

export function nftOn(host: Host, nft: Command) {
  const explained = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      host.signal.throwIfAborted();
      if (!(error instanceof CommandFailed)) throw new Away(`${nft.join(" ")} does not end`, { cause: error });
      if (/not permitted|must be root/.test(error.message)) {
        const needs =
          "it needs CAP_NET_ADMIN (in the unit of trigger: CapabilityBoundingSet=CAP_NET_ADMIN, and User=root)";
        throw new Away(`${nft.join(" ")} may not change the network: ${needs}`, { cause: error });
      }
      if (error.code === 127) throw new Away(`${nft[0]} is not installed (Debian: nftables)`, { cause: error });
      throw error;
    }
  };
  /** Throws if the kernel would refuse the text; nothing is changed. */
  const check = (input: string) =>
    explained(host.ask([...nft, "-c", "-f", "-"], { input, deadline: deadlineOf(input) }));
  return {
    /** Applies a text, all of it or nothing. */
    tell: (input: string) => explained(host.tell([...nft, "-f", "-"], { input, deadline: deadlineOf(input) })),
    check,
    /** The present table; undefined if there is none. */
    async list({ family, table }: Place, sets: readonly ElementSet[]): Promise<Listing | undefined> {
      // This check is fast: `nft list tables` reads the elements of all tables.
      const couldBeMade = await check(`create table ${family} ${table}\n`).then(
        () => true,
        (error: unknown) => {
          if (error instanceof CommandFailed) return false;
          throw error;
        },
      );
      if (couldBeMade) return undefined;
      try {
        const { stdout } = await explained(host.ask([...nft, "-j", "list", "table", family, table]));
        return listing(parse(stdout), sets);
      } catch (error) {
        if (!(error instanceof CommandFailed)) throw error;
        // The table neither exists nor can be created: the kernel, or its network namespace, was not reached.
        throw new Away(`${nft.join(" ")} does not reach the kernel`, { cause: error });
      }
    },
  };
}
export type Nft = ReturnType<typeof nftOn>;

type Shown = { readonly [name: string]: Json };
type Item = { readonly [kind: string]: Shown | undefined };

const parse = (text: string): Item[] => (text === "" ? [] : (JSON.parse(text) as { nftables: Item[] }).nftables);

function listing(items: readonly Item[], sets: readonly ElementSet[]): Listing {
  const declared = items.filter(({ metainfo, table }) => !metainfo && !table);
  const known = new Map(sets.map((set) => [set.name, set]));
  const elements = new Map<string, Map<string, string>>();
  const strange: string[] = [];
  for (const { set, map } of declared) {
    const shown = set ?? map;
    const own = known.get(String(shown?.name));
    if (!shown || !own) continue;
    const found = new Map<string, string>();
    elements.set(own.name, found);
    for (const element of (shown.elem ?? []) as Json[]) {
      const [key, value] = own.value ? (element as [Json, Json]) : [element, null];
      const readKey = read(own.key, bare(key));
      const readValue = own.value ? read(own.value, value) : "";
      if (readKey === undefined || readValue === undefined) strange.push(`${own.name} ${canonical(element)}`);
      else found.set(readKey, readValue);
    }
  }
  const structure = canonical(withoutState(declared as unknown as Json));
  return {
    structure: createHash("sha256").update(structure).digest("hex"),
    elements,
    strange,
    empty: declared.length === 0,
  };
}

/** An element without its counters. */
const bare = (shown: Json): Json =>
  typeof shown === "object" && shown !== null && "elem" in shown ? ((shown.elem as Shown).val ?? null) : shown;

/**
 * The declaration, without the kernel's handles and counters, and without elements: the service's own are compared
 * apart, and those of the rules' own sets change.
 */
function withoutState(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutState);
  if (typeof value !== "object" || value === null) return value;
  const counts = "packets" in value && "bytes" in value;
  const states = ["handle", "elem", "used", ...(counts ? ["packets", "bytes"] : [])];
  const kept = Object.entries(value).filter(([name]) => !states.includes(name));
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutState(inner)]));
}
