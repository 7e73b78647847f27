import type { DirectoryEvent } from "../../core/directory/event.ts";
import { plainLine } from "../../core/util/shown.ts";
import { readDn } from "../mirror/value-index.ts";

/** How long an event and the change that it speaks of wait for each other, in milliseconds. */
const patience = 30_000;
/** How many of either wait. */
const limit = 10_000;

/** Joins what the directory changed with what events say of it: who, and why. They come on two ways, in either order. */
export interface Attribution {
  /** Takes an event; gives the DN of the entry and what is said of it where the change had come before. */
  heard(event: DirectoryEvent, now: number): { dn: string; by: string } | undefined;
  /** Takes a change of an entry; gives what an event has said of it. */
  changed(uuid: string, dn: string, now: number): string | undefined;
}

export function attribution(): Attribution {
  const speaking = recent<string>();
  const waiting = recent<string>();
  return {
    heard({ before, after, who, why }, now) {
      const by = [who, why].flatMap((text) => (text ? plainLine(text, 200) : [])).join(": ");
      if (by === "") return undefined;
      const said = [before, after].filter((side) => side !== undefined);
      const names = new Set(said.flatMap(({ uuid, dn }) => [uuid, readDn(dn) ?? dn]));
      const dn = [...names].map((name) => waiting.take(name, now)).find((found) => found !== undefined);
      if (dn !== undefined) return { dn, by };
      for (const name of names) speaking.put(name, by, now);
      return undefined;
    },
    changed(uuid, dn, now) {
      const names = [uuid, readDn(dn) ?? dn];
      const by = names.map((name) => speaking.take(name, now)).find((found) => found !== undefined);
      if (by === undefined) for (const name of names) waiting.put(name, dn, now);
      return by;
    },
  };
}

/** Things under names, each for a short while. */
function recent<T>() {
  const things = new Map<string, { thing: T; until: number }>();
  return {
    put(name: string, thing: T, now: number): void {
      things.delete(name);
      things.set(name, { thing, until: now + patience });
      const [oldest] = things.keys();
      if (things.size > limit && oldest !== undefined) things.delete(oldest);
    },
    take(name: string, now: number): T | undefined {
      const found = things.get(name);
      things.delete(name);
      return found && found.until >= now ? found.thing : undefined;
    },
  };
}
