import { z } from "zod";
import { unknownOf } from "../util/nearest.ts";
import { expected, named, options, text } from "./options.ts";

/** The order in which the hosts of a service activate a change. */
export interface Waves {
  /**
   * Waves, each a list of hosts; each host of the service is in one: `[["ns1"], ["ns2", "ns3"]]`. The first wave
   * activates a change at once.
   */
  readonly order: readonly (readonly string[])[];
  /**
   * Seconds, at most a day, after which a host no longer waits for the waves before it; 60 by default.
   */
  readonly within?: number;
}

/** The services whose hosts activate a change in waves. */
export type WavesOf = { readonly [service: string]: Waves };

const defaultWithin = 60;

/** The longest wait of a host for the waves before its own, in milliseconds; undefined for a host of the first wave. */
export function waveWithin(waves: WavesOf, service: string, host: string): number | undefined {
  const { order = [], within = defaultWithin } = waves[service] ?? {};
  return order.findIndex((wave) => wave.includes(host)) > 0 ? within * 1_000 : undefined;
}

const order = expected("a list of lists of hosts", z.array(z.array(z.unknown()).min(1))).pipe(z.array(z.array(text)));
const within = expected("seconds, more than 0 and at most a day", z.number().gt(0).max(86_400));

/** The schema of `waves`. */
export const wavesSchema = named(options<Waves>({ order, within: within.optional() }, "{ order: [[…], […]] }"));

/** The sentence on a host that is not in exactly one wave of its service. `hosts` has the hosts of each service. */
export function wrongWaves(waves: WavesOf, hosts: ReadonlyMap<string, readonly string[]>): string | undefined {
  const other = unknownOf("service in waves", Object.keys(waves), [...hosts.keys()]);
  if (other) return other;
  for (const [service, { order }] of Object.entries(waves)) {
    const [at, known, named] = [`waves.${service}`, hosts.get(service) ?? [], order.flat()];
    const unknownHost = unknownOf(`host of ${service} in ${at}`, named, known);
    if (unknownHost) return unknownHost;
    const twice = named.find((host, index) => named.indexOf(host) !== index);
    if (twice) return `${at}.order: host "${twice}" is listed twice`;
    const missing = known.find((host) => !named.includes(host));
    if (missing) return `${at}.order: host "${missing}" runs ${service} but is in no wave`;
  }
  return undefined;
}
