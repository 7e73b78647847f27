import type { WavesOf } from "../../core/config/waves.ts";
import { comparePlaces, type Place, protocolVersion, type WaveMessage } from "../../core/stream/messages.ts";
import type { ReportMessage, ServiceReport } from "../../core/stream/report.ts";
import { hostKey } from "../../core/stream/routing.ts";
import type { Clock } from "../../ports/clock.ts";

/**
 * The time without a report after which a host counts as absent, in milliseconds. Hosts report at least each minute.
 */
const absentAfter = 3 * 60_000;

export interface WavesOptions {
  readonly clock: Pick<Clock, "monotonic">;
  /** True while this transcriber leads. */
  leads(): boolean;
  /** True if a host has streams of its own: its places in the stream are not comparable with those of the others. */
  isDivergent(host: string): boolean;
  publish(key: string, body: string): void;
}

interface LastReport {
  readonly report: ServiceReport;
  readonly at: number;
  /** The place at which the host began to fail: later changes are not to blame. */
  readonly failsFrom: Place | undefined;
}

/**
 * Tells the hosts of later waves how far those before them have applied the stream, by their reports. It decides
 * nothing: a host without such a message continues by itself after a while. Thus no host waits for ever for one that is
 * absent or divergent, or for a transcriber.
 */
export function publishWaves(
  waves: WavesOf,
  { clock, leads, isDivergent, publish }: WavesOptions,
): (report: ReportMessage) => void {
  const reports = new Map<string, LastReport>();
  const sent = new Map<string, string>();
  const keyOf = (service: string, host: string): string => `${service} ${host}`;

  /** The message about the hosts of earlier waves; undefined if the place of one of them is unknown. */
  function message(service: string, before: readonly string[]): WaveMessage | undefined {
    const head = { trigger: protocolVersion, kind: "wave", service } as const;
    let least: Place | undefined;
    let unknown = false;
    for (const host of before) {
      const last = reports.get(keyOf(service, host));
      if (!last || clock.monotonic() - last.at > absentAfter) continue;
      if (isDivergent(host)) {
        unknown = true;
        continue;
      }
      const { why = "" } = last.report;
      if (last.failsFrom) return { ...head, ...placeOf(last.failsFrom), failing: `${host}: ${why}`.slice(0, 1_000) };
      const place = applied(last.report);
      if (!place) unknown = true;
      else if (!least || comparePlaces(place, least) < 0) least = place;
    }
    return least && !unknown ? { ...head, ...placeOf(least) } : undefined;
  }

  return ({ host, services }) => {
    for (const [service, { order }] of Object.entries(waves)) {
      const report = services[service];
      const wave = order.findIndex((hosts) => hosts.includes(host));
      if (!report || wave < 0) continue;
      const failsFrom = report.failing ? (reports.get(keyOf(service, host))?.failsFrom ?? report.stored) : undefined;
      reports.set(keyOf(service, host), { report, at: clock.monotonic(), failsFrom });
      if (!leads()) continue;
      for (let later = wave + 1; later < order.length; later++) {
        const next = message(service, order.slice(0, later).flat());
        const body = JSON.stringify(next);
        for (const target of next ? (order[later] ?? []) : []) {
          if (isDivergent(target)) continue;
          // A failure is sent again with each report of it: the waiting host must know that the failing one is still
          // up.
          if (next?.failing === undefined && sent.get(keyOf(service, target)) === body) continue;
          sent.set(keyOf(service, target), body);
          publish(hostKey(service, target), body);
        }
      }
    }
  };
}

const placeOf = ({ epoch, seq }: Place): Place => ({ epoch, seq });

/** The place in the stream up to which a host has applied it. */
function applied({ stored, applied, why, doubt, pending, reloads }: ServiceReport): Place | undefined {
  return why === undefined && !doubt && pending + reloads.length === 0 ? stored : applied;
}
