import { nextEpoch } from "../../core/stream/writer.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Channel } from "./stream.ts";

/** The least time between two epochs, in milliseconds: two transcribers that both believe to be active must not chase each other. */
export const epochSpacing = 1_000;

export interface ApartOptions {
  /** Makes the streams of one host alone, by service. */
  open(host: string): ReadonlyMap<string, Channel>;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Hosts that hold an epoch above that of the others, or a newer directory. Each has streams of its own: the same tables, in epochs above its own. */
export interface Apart {
  /** The epoch that each of them holds, or is told in. */
  readonly hosts: ReadonlyMap<string, number>;
  of(host: string): ReadonlyMap<string, Channel> | undefined;
  /** The epoch in which one is told. */
  epochOf(host: string): number | undefined;
  /** All these streams, or those of one service. */
  channels(service?: string): Channel[];
  /** Takes an epoch that a host holds; true if the host was not apart before. */
  hear(host: string, epoch: number): boolean;
  /** The host is told with the others again. */
  release(host: string): void;
  /** Tells one host that the directory was rolled back, in an epoch of its own above this one. */
  rollBack(host: string, above: number): void;
  /** From now on these hosts are told. */
  begin(): void;
  end(): void;
  /** Begins the epochs that had to wait. */
  lookAgain(): void;
  /** When one of them may begin, in monotonic milliseconds. */
  due(): number | undefined;
}

interface One {
  readonly channels: ReadonlyMap<string, Channel>;
  /** The highest epoch that the host was heard to hold. */
  held: number;
  /** The epoch that it is told in; 0 while it is not told. */
  told: number;
  /** Its next epoch says that the directory was rolled back. */
  rolledBack: boolean;
  begunAt: number;
}

export function apart({ open, clock, random }: ApartOptions): Apart {
  const all = new Map<string, One>();
  let speaks = false;

  const waits = (one: One): boolean => speaks && (one.held > one.told || one.rolledBack);

  function known(host: string): One {
    const begunAt = Number.NEGATIVE_INFINITY;
    const one = all.get(host) ?? { channels: open(host), held: 0, told: 0, rolledBack: false, begunAt };
    all.set(host, one);
    return one;
  }

  function begin(one: One): void {
    if (!speaks || clock.monotonic() - one.begunAt < epochSpacing) return;
    one.begunAt = clock.monotonic();
    one.told = nextEpoch(clock.now(), Math.max(one.held, one.told), random);
    for (const channel of one.channels.values()) channel.begin(one.told, one.rolledBack);
    one.rolledBack = false;
  }

  return {
    get hosts() {
      return new Map([...all].map(([host, { held, told }]) => [host, Math.max(held, told)]));
    },
    of: (host) => all.get(host)?.channels,
    epochOf: (host) => all.get(host)?.told,
    channels: (service) =>
      [...all.values()].flatMap(({ channels }) =>
        service === undefined ? [...channels.values()] : (channels.get(service) ?? []),
      ),
    hear(host, epoch) {
      const isNew = !all.has(host);
      const one = known(host);
      one.held = Math.max(one.held, epoch);
      if (waits(one)) begin(one);
      return isNew;
    },
    release(host) {
      for (const channel of all.get(host)?.channels.values() ?? []) channel.end();
      all.delete(host);
    },
    rollBack(host, above) {
      const one = known(host);
      one.held = Math.max(one.held, above);
      one.rolledBack = true;
      begin(one);
    },
    begin() {
      speaks = true;
      for (const one of all.values()) {
        one.held = Math.max(one.held, one.told);
        one.told = 0;
        begin(one);
      }
    },
    end() {
      speaks = false;
      for (const { channels } of all.values()) for (const channel of channels.values()) channel.end();
    },
    lookAgain() {
      for (const one of all.values()) if (waits(one)) begin(one);
    },
    due() {
      const times = [...all.values()].filter(waits).map(({ begunAt }) => begunAt + epochSpacing);
      return times.length === 0 ? undefined : Math.min(...times);
    },
  };
}
