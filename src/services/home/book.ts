import { z } from "zod";
import type { Memory } from "../../core/service/host-api.ts";

/** Which home each uid has on this host: what was created or adopted here, and may be moved and archived. */
export interface HomeBook {
  get(uid: string): string | undefined;
  set(uid: string, home: string): void;
  delete(uid: string): void;
  /** All of them, by uid. */
  homes(): Map<string, string>;
}

/** Homes are noted in so many pages, so that one change writes one page and not the whole book. */
const pages = 256;
const page = z.record(z.string(), z.string());

/** Opens the book in a service's memory. */
export function homeBook(memory: Memory): HomeBook {
  const read = new Map<string, Map<string, string>>();
  const nameOf = (uid: string): string => `homes/${Number(uid) % pages}`;

  const open = (name: string): Map<string, string> => {
    const known = read.get(name);
    if (known) return known;
    const text = memory.get(name);
    const homes = new Map(Object.entries(text === undefined ? {} : page.parse(JSON.parse(text))));
    read.set(name, homes);
    return homes;
  };
  const write = (uid: string, change: (homes: Map<string, string>) => void): void => {
    const homes = open(nameOf(uid));
    change(homes);
    memory.set(nameOf(uid), JSON.stringify(Object.fromEntries(homes)));
  };
  return {
    get: (uid) => open(nameOf(uid)).get(uid),
    set: (uid, home) => {
      if (open(nameOf(uid)).get(uid) !== home) write(uid, (homes) => homes.set(uid, home));
    },
    delete: (uid) => write(uid, (homes) => homes.delete(uid)),
    homes: () => new Map(Array.from({ length: pages }, (_, number) => [...open(`homes/${number}`)]).flat()),
  };
}
