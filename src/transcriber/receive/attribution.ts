import { distinctDn } from "../../core/directory/dn.ts";
import type { DirectoryEvent } from "../../core/directory/event.ts";
import { plainLine } from "../../core/util/shown.ts";

/** The time for which an event and its change wait for each other, in milliseconds. */
const joinWithin = 30_000;
/** The most events, and the most changes, that wait. */
const mostWaiting = 10_000;

/**
 * Joins changes of the directory with the events about them, which have the author and the purpose. Either may come
 * first.
 */
export interface Attribution {
  /** Adds an event. Returns the DN of its entry, and the author and purpose, if the change has come before. */
  addEvent(event: DirectoryEvent, now: number): { dn: string; by: string } | undefined;
  /** Adds a change of an entry. Returns its author and purpose if the event has come before. */
  addChange(uuid: string, dn: string, now: number): string | undefined;
}

export function attribution(): Attribution {
  const events = recent<string>();
  const changes = recent<string>();
  return {
    addEvent({ before, after, who, why }, now) {
      const by = [who, why].flatMap((text) => (text ? plainLine(text, 200) : [])).join(": ");
      if (by === "") return undefined;
      const sides = [before, after].filter((side) => side !== undefined);
      const names = new Set(sides.flatMap(({ uuid, dn }) => [uuid, nameOf(dn)]));
      const dn = [...names].map((name) => changes.take(name, now)).find((found) => found !== undefined);
      if (dn !== undefined) return { dn, by };
      for (const name of names) events.put(name, by, now);
      return undefined;
    },
    addChange(uuid, dn, now) {
      const names = [uuid, nameOf(dn)];
      const by = names.map((name) => events.take(name, now)).find((found) => found !== undefined);
      if (by === undefined) for (const name of names) changes.put(name, dn, now);
      return by;
    },
  };
}

/** The name of an entry, which no twin of it has. */
function nameOf(dn: string): string {
  try {
    return distinctDn(dn);
  } catch {
    return dn;
  }
}

/** Values under names, each for a short while. */
function recent<T>() {
  const values = new Map<string, { value: T; until: number }>();
  return {
    put(name: string, value: T, now: number): void {
      values.delete(name);
      values.set(name, { value, until: now + joinWithin });
      const [oldest] = values.keys();
      if (values.size > mostWaiting && oldest !== undefined) values.delete(oldest);
    },
    take(name: string, now: number): T | undefined {
      const found = values.get(name);
      values.delete(name);
      return found && found.until >= now ? found.value : undefined;
    },
  };
}
