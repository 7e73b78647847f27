import { unknown } from "./nearest.ts";
import { shown } from "./shown.ts";

/** In which order the hosts of a service put a change in force. */
export interface Waves {
  /** Each host of the service in one wave: the first one goes at once. */
  readonly order: readonly (readonly string[])[];
  /** Seconds after which a host goes without having heard that those before it are done; 60 by default. */
  readonly within?: number;
}

/** `waves` of the config: the services whose hosts go one after the other. */
export type WavesOf = { readonly [service: string]: Waves };

const defaultWithin = 60;

/** How long a host waits for the waves before its own, in milliseconds; undefined for one that goes first. */
export function waveWithin(waves: WavesOf, service: string, host: string): number | undefined {
  const { order = [], within = defaultWithin } = waves[service] ?? {};
  return order.findIndex((wave) => wave.includes(host)) > 0 ? within * 1_000 : undefined;
}

/** What is wrong with `waves`; undefined when nothing is. `hosts` are those of each service. */
export function wrongWaves(
  waves: Readonly<Record<string, unknown>>,
  hosts: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  for (const [service, value] of Object.entries(waves)) {
    const known = hosts.get(service);
    if (!known) return unknown("service in waves", service, hosts.keys());
    const at = `waves.${service}`;
    if (typeof value !== "object" || value === null)
      return `${at}: expected { order: [[…], […]] }, found ${shown(value)}`;
    const other = Object.keys(value).find((option) => !["order", "within"].includes(option));
    if (other !== undefined) return unknown(`option of ${at}`, other, ["order", "within"]);
    const { order, within } = value as Readonly<Record<string, unknown>>;
    if (within !== undefined && !(typeof within === "number" && within > 0 && within <= 86_400)) {
      return `${at}.within: expected seconds, more than 0 and at most a day, found ${shown(within)}`;
    }
    if (!Array.isArray(order) || !order.every((wave) => Array.isArray(wave) && wave.length > 0)) {
      return `${at}.order: expected a list of lists of hosts, found ${shown(order)}`;
    }
    const named: unknown[] = order.flat();
    for (const [index, host] of named.entries()) {
      if (!known.includes(String(host))) return unknown(`host of ${service} in ${at}`, String(host), known);
      if (named.indexOf(host) !== index) return `${at}.order: host "${host}" is there twice`;
    }
    const missing = known.find((host) => !named.includes(host));
    if (missing !== undefined) return `${at}.order: host "${missing}" runs ${service} and is in no wave`;
  }
  return undefined;
}
