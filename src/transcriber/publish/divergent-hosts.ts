import { nextEpoch } from "../../core/stream/transcriber-end.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Stream } from "./stream.ts";

/**
 * The least time between two epochs, in milliseconds. Without it two active transcribers would raise each other's
 * epochs at full speed.
 */
export const epochSpacing = 1_000;

export interface DivergentOptions {
  /** Opens the streams of one host alone, by service. */
  open(host: string): ReadonlyMap<string, Stream>;
  readonly clock: Pick<Clock, "now" | "monotonic">;
  readonly random: () => number;
}

/**
 * The hosts that cannot follow the common streams: they hold a higher epoch, or a newer state of the directory. Each
 * has streams of its own, with the same tables, in epochs above the one that it holds.
 */
export interface DivergentHosts {
  /** The highest epoch of each of these hosts: the one that it holds, or the one of its streams. */
  readonly epochs: ReadonlyMap<string, number>;
  streamsOf(host: string): ReadonlyMap<string, Stream> | undefined;
  /** The epoch of a host's own streams; 0 while they are ended. */
  epochOf(host: string): number | undefined;
  /** All streams of these hosts, or those of one service. */
  streams(service?: string): Stream[];
  /** Notes an epoch that a host holds; true if the host was not divergent before. */
  observe(host: string, epoch: number): boolean;
  /** Ends the streams of a host: it follows the common ones again. */
  release(host: string): void;
  /** Announces to one host that the directory was rolled back, in an epoch above `above`. */
  rollBack(host: string, above: number): void;
  /** Begins an epoch for each of these hosts. */
  begin(): void;
  end(): void;
  /** Begins the epochs whose wait is over. */
  proceed(): void;
  /** The moment at which the next waiting epoch may begin, in monotonic milliseconds; undefined if none waits. */
  due(): number | undefined;
}

interface Divergent {
  readonly streams: ReadonlyMap<string, Stream>;
  /** The highest epoch that the host is known to hold. */
  held: number;
  /** The epoch of its streams; 0 while they are ended. */
  epoch: number;
  /** True if its next epoch announces that the directory was rolled back. */
  rolledBack: boolean;
  begunAt: number;
}

export function divergentHosts({ open, clock, random }: DivergentOptions): DivergentHosts {
  const hosts = new Map<string, Divergent>();
  let leading = false;

  const waits = ({ held, epoch, rolledBack }: Divergent): boolean => leading && (held > epoch || rolledBack);

  function diverge(host: string): Divergent {
    const begunAt = Number.NEGATIVE_INFINITY;
    const found = hosts.get(host) ?? { streams: open(host), held: 0, epoch: 0, rolledBack: false, begunAt };
    hosts.set(host, found);
    return found;
  }

  function begin(host: Divergent): void {
    if (!leading || clock.monotonic() - host.begunAt < epochSpacing) return;
    host.begunAt = clock.monotonic();
    host.epoch = nextEpoch(clock.now(), Math.max(host.held, host.epoch), random);
    for (const stream of host.streams.values()) stream.begin(host.epoch, host.rolledBack);
    host.rolledBack = false;
  }

  return {
    get epochs() {
      return new Map([...hosts].map(([host, { held, epoch }]) => [host, Math.max(held, epoch)]));
    },
    streamsOf: (host) => hosts.get(host)?.streams,
    epochOf: (host) => hosts.get(host)?.epoch,
    streams: (service) =>
      [...hosts.values()].flatMap(({ streams }) =>
        service === undefined ? [...streams.values()] : (streams.get(service) ?? []),
      ),
    observe(host, epoch) {
      const isNew = !hosts.has(host);
      const found = diverge(host);
      found.held = Math.max(found.held, epoch);
      if (waits(found)) begin(found);
      return isNew;
    },
    release(host) {
      for (const stream of hosts.get(host)?.streams.values() ?? []) stream.end();
      hosts.delete(host);
    },
    rollBack(host, above) {
      const found = diverge(host);
      found.held = Math.max(found.held, above);
      found.rolledBack = true;
      begin(found);
    },
    begin() {
      leading = true;
      for (const host of hosts.values()) {
        host.held = Math.max(host.held, host.epoch);
        host.epoch = 0;
        begin(host);
      }
    },
    end() {
      leading = false;
      for (const { streams } of hosts.values()) for (const stream of streams.values()) stream.end();
    },
    proceed() {
      for (const host of hosts.values()) if (waits(host)) begin(host);
    },
    due() {
      const times = [...hosts.values()].filter(waits).map(({ begunAt }) => begunAt + epochSpacing);
      return times.length === 0 ? undefined : Math.min(...times);
    },
  };
}
