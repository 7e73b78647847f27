import { dirname } from "node:path";
import type { Command, Host } from "../../core/service/host-api.ts";
import { canonical } from "../../core/stream/cells.ts";
import { CommandFailed, Held } from "../../core/util/errors.ts";
import { readCdb } from "./cdb.ts";

/** A lookup table of Postfix. postmap(1) makes, changes, lists and queries it. */

export type MapType = "lmdb" | "cdb";

/** The targets of names. */
export type Lookups = ReadonlyMap<string, string>;

export interface MapPlace {
  readonly path: string;
  readonly type: MapType;
  readonly postmap: Command;
}

export interface Moves {
  readonly puts: Lookups;
  readonly deletes: ReadonlySet<string>;
}

/**
 * The least number of changes for which a new map is made aside. postmap makes each entry durable by itself, in about 2
 * ms.
 */
const fewEntries = 100;

export const isFew = ({ puts, deletes }: Moves): boolean => puts.size + deletes.size <= fewEntries;

export const movesBetween = (found: Lookups, wanted: Lookups): Moves => ({
  puts: new Map([...wanted].filter(([name, value]) => found.get(name) !== value)),
  deletes: new Set([...found.keys()].filter((name) => !wanted.has(name))),
});

export function postfixMap(host: Host, { path, type, postmap }: MapPlace) {
  const file = `${path}.${type}`;
  const map = `${type}:${path}`;

  /** The entries of the map; undefined if the file is missing or not a map. */
  async function list(): Promise<Lookups | undefined> {
    if (type === "cdb") {
      const bytes = await host.files.read(file);
      return bytes && readCdb(bytes);
    }
    if (!(await host.files.stat(file))) return undefined;
    try {
      return linesOf((await host.ask([...postmap, "-s", map])).stdout);
    } catch (error) {
      if (error instanceof CommandFailed && error.code === 1) return undefined; // not a map of lmdb
      throw error;
    }
  }

  /** The answers of Postfix for some names. */
  async function find(names: Iterable<string>): Promise<Lookups> {
    const input = [...names].map((name) => `${name}\n`).join("");
    if (input === "") return new Map();
    try {
      return linesOf((await host.ask([...postmap, "-q", "-", map], { input })).stdout);
    } catch (error) {
      if (error instanceof CommandFailed && error.code === 1) return new Map(); // none of them is in the map
      throw error;
    }
  }

  /** Throws unless Postfix finds the wanted entries, and no removed ones. */
  async function verify({ puts, deletes }: Moves): Promise<void> {
    if (host.dry) return;
    const found = await find([...puts.keys(), ...deletes]);
    for (const name of [...puts.keys(), ...deletes]) {
      const [wanted = "nothing", seen = "nothing"] = [puts.get(name), found.get(name)];
      if (wanted !== seen) throw new Error(`${map} has ${seen} for ${name}, and should have ${wanted}`);
    }
  }

  return {
    list,
    verify,
    exists: async (): Promise<boolean> => (await host.files.stat(file)) !== undefined,
    isOurs: (): boolean => host.owned.has(file, ""),
    /** Throws `Held` for a foreign map with another content; otherwise the map is this service's own from now on. */
    async takeOver(wanted: () => Lookups): Promise<void> {
      if (host.owned.has(file, "")) return;
      if (await host.files.stat(file)) {
        const found = await list();
        const moves = movesBetween(found ?? new Map(), wanted());
        const record = canonical([...(found ?? [])].sort());
        if ((!found || moves.puts.size + moves.deletes.size > 0) && !host.owned.has(file, record)) {
          host.owned.hold([[file, record]]);
          const difference = `${moves.puts.size} aliases are missing or differ, ${moves.deletes.size} are only there`;
          throw new Held(
            `${file} exists, but trigger did not write it (${difference}): it stays until its replacement is approved`,
          );
        }
        if (!host.owned.has(file, record))
          host.log(`${file} has the very aliases, but trigger did not write it: it is trigger's from now on`);
      }
      host.owned.claim([file]);
    },
    /** Changes entries of a map that can be changed, and never lets another name be missing. */
    async change({ puts, deletes }: Moves): Promise<void> {
      if (puts.size > 0) await host.tell([...postmap, "-i", "-r", map], { input: textOf(puts) });
      if (deletes.size > 0) {
        const input = [...deletes].map((name) => `${name}\n`).join("");
        // The removal fails if all of the names are missing, as after an interrupted run. The lookup afterwards shows
        // if they are gone.
        await host.tell([...postmap, "-d", "-", map], { input }).catch((error) => {
          if (!(error instanceof CommandFailed)) throw error;
        });
      }
      await verify({ puts, deletes });
    },
    /**
     * Makes the whole map aside and puts it in its place. Postfix notices that its open map is gone, and opens the new
     * one.
     */
    async build(wanted: Lookups): Promise<void> {
      const aside = `${path}.trigger-new`;
      await host.files.makeDirectory(dirname(path));
      await host.files.remove(`${aside}.${type}`);
      await host.files.write(aside, textOf(wanted), { mode: 0o644 });
      await host.tell([...postmap, `${type}:${aside}`]);
      await host.files.remove(aside);
      if (!host.dry) await host.files.sync(`${aside}.${type}`);
      await host.tell(["mv", "-T", `${aside}.${type}`, file]);
      if (host.dry) return;
      await host.files.sync(dirname(path));
      const { puts, deletes } = movesBetween((await list()) ?? new Map(), wanted);
      if (puts.size + deletes.size > 0) throw new Error(`${file} was made, but lacks entries or has others`);
      await verify({ puts: new Map([...wanted].slice(0, 1)), deletes });
    },
  };
}

/** The lines of a map: each name with its targets. */
export const textOf = (lookups: Lookups): string => [...lookups].map(([name, value]) => `${name} ${value}\n`).join("");

const linesOf = (stdout: string): Lookups =>
  new Map(
    stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => [line.slice(0, line.indexOf("\t")), line.slice(line.indexOf("\t") + 1)]),
  );
