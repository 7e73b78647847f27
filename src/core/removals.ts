import { unknown } from "./nearest.ts";
import { shown } from "./shown.ts";

/** How many rows of a service may go from a host within an hour before a person is asked. */
export interface RemovalLimit {
  /** So many always may: 50 by default. */
  readonly atMost?: number;
  /** And in a large table this share of the rows that are in force: 0.1 by default. */
  readonly share?: number;
  /** True if the last row may go like any other, so that none is in force. False by default, at any limit. */
  readonly mayEmpty?: boolean;
}

/** `removals` of the config: for every service, and where one differs. */
export interface Removals extends RemovalLimit {
  readonly of?: { readonly [service: string]: RemovalLimit };
}

const defaults = { atMost: 50, share: 0.1 };

/** How many removals a table of so many rows in force may have in an hour. */
export function removalsAllowed({ of = {}, ...general }: Removals, service: string, rows: number): number {
  const { atMost, share } = { ...defaults, ...general, ...of[service] };
  return Math.max(atMost, Math.floor(share * rows));
}

/** True if the last row of a table may go without a question. */
export const mayBeEmptied = ({ of = {}, ...general }: Removals, service: string): boolean =>
  of[service]?.mayEmpty ?? general.mayEmpty ?? false;

/** What is wrong with `removals`; undefined when nothing is. `services` are those that some host runs. */
export function wrongRemovals(value: object, services: readonly string[], place = "removals"): string | undefined {
  const known = ["atMost", "share", "mayEmpty", ...(place === "removals" ? ["of"] : [])];
  for (const [option, found] of Object.entries(value)) {
    const at = `${place}.${option}`;
    if (!known.includes(option)) return unknown(`option of ${place}`, option, known);
    if (option === "atMost" && !(Number.isInteger(found) && found >= 0)) {
      return `${at}: expected a number of rows, 0 or more, found ${shown(found)}`;
    }
    if (option === "share" && !(typeof found === "number" && found >= 0 && found <= 1)) {
      return `${at}: expected a share of the rows, 0 to 1, found ${shown(found)}`;
    }
    if (option === "mayEmpty" && typeof found !== "boolean") {
      return `${at}: expected true or false, found ${shown(found)}`;
    }
    if (option !== "of") continue;
    if (typeof found !== "object" || found === null) return `${at}: expected { service: { … } }, found ${shown(found)}`;
    for (const [service, limit] of Object.entries(found)) {
      if (!services.includes(service)) return unknown(`service in ${at}`, service, services);
      if (typeof limit !== "object" || limit === null) return `${at}.${service}: expected { … }, found ${shown(limit)}`;
      const wrong = wrongRemovals(limit, services, `${at}.${service}`);
      if (wrong) return wrong;
    }
  }
  return undefined;
}
