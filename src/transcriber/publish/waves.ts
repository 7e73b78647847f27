import type { WavesOf } from "../../core/config/waves.ts";
import { comparePlaces, type Place, protocolVersion, type WaveMessage } from "../../core/stream/messages.ts";
import type { ReportMessage, ServiceReport } from "../../core/stream/report.ts";
import { hostKey } from "../../core/stream/routing.ts";
import type { Clock } from "../../ports/clock.ts";

/** A host that has not reported for so long is absent, in milliseconds: it reports each minute at least. */
const absentAfter = 3 * 60_000;

export interface WavesOptions {
  readonly clock: Clock;
  /** Whether this transcriber is the one that speaks. */
  speaks(): boolean;
  /** True if a host is told in epochs of its own: its places in the stream are not those of the others. */
  apart(host: string): boolean;
  publish(key: string, body: string): void;
}

interface Heard {
  readonly report: ServiceReport;
  readonly at: number;
  /** The place at which it began to fail: what comes behind it is not to blame. */
  readonly failsFrom: Place | undefined;
}

/**
 * Tells the hosts of later waves how far those before them are in force, from what these report.
 * It decides nothing: a host that hears nothing goes by itself after a while.
 * Thus no host waits for ever for one that is absent or told apart, or for a transcriber.
 */
export function tellWaves(
  waves: WavesOf,
  { clock, speaks, apart, publish }: WavesOptions,
): (report: ReportMessage) => void {
  const heard = new Map<string, Heard>();
  const said = new Map<string, string>();
  const placeIn = (service: string, host: string): string => `${service} ${host}`;

  function word(service: string, before: readonly string[]): WaveMessage | undefined {
    const head = { trigger: protocolVersion, kind: "wave", service } as const;
    let least: Place | undefined;
    let unknown = false;
    for (const host of before) {
      const found = heard.get(placeIn(service, host));
      if (!found || clock.monotonic() - found.at > absentAfter) continue;
      if (apart(host)) {
        unknown = true;
        continue;
      }
      const { why = "" } = found.report;
      if (found.failsFrom) return { ...head, ...at(found.failsFrom), failing: `${host}: ${why}`.slice(0, 1_000) };
      const place = inForce(found.report);
      if (!place) unknown = true;
      else if (!least || comparePlaces(place, least) < 0) least = place;
    }
    return least && !unknown ? { ...head, ...at(least) } : undefined;
  }

  return ({ host, services }) => {
    for (const [service, { order }] of Object.entries(waves)) {
      const report = services[service];
      const wave = order.findIndex((hosts) => hosts.includes(host));
      if (!report || wave < 0) continue;
      const failsFrom = report.failing ? (heard.get(placeIn(service, host))?.failsFrom ?? report.stored) : undefined;
      heard.set(placeIn(service, host), { report, at: clock.monotonic(), failsFrom });
      if (!speaks()) continue;
      for (let later = wave + 1; later < order.length; later++) {
        const message = word(service, order.slice(0, later).flat());
        const body = JSON.stringify(message);
        for (const target of message ? (order[later] ?? []) : []) {
          if (apart(target)) continue;
          // That a host fails is said again as long as it says so: whoever waits for it must know that it is there.
          if (message?.failing === undefined && said.get(placeIn(service, target)) === body) continue;
          said.set(placeIn(service, target), body);
          publish(hostKey(service, target), body);
        }
      }
    }
  };
}

const at = ({ epoch, seq }: Place): Place => ({ epoch, seq });

/** How far in the stream a host has put in force what it was told. */
function inForce({ stored, loaded, why, doubt, owed, reloads }: ServiceReport): Place | undefined {
  return why === undefined && !doubt && owed + reloads.length === 0 ? stored : loaded;
}
