import { z } from "zod";
import type { Memory } from "../../core/service/host-api.ts";

/** The homes of this host by uid: those that were created or adopted here, and may be moved and archived. */
export interface HomeLedger {
  get(uid: string): string | undefined;
  set(uid: string, home: string): void;
  delete(uid: string): void;
  /** All homes, by uid. */
  homes(): Map<string, string>;
}

/** The number of pages of the ledger, so that one change writes one page and not the whole. */
const pages = 256;
const page = z.record(z.string(), z.string());

/** Opens the ledger in a service's memory. */
export function homeLedger(memory: Memory): HomeLedger {
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
