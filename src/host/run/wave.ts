import { comparePlaces, type Place, type WaveMessage } from "../../core/stream/messages.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ServiceStore } from "../store/service-store.ts";

/** The time that a host counts as failing after its last report, in milliseconds: each minute it reports at least. */
const failsFor = 3 * 60_000;

/** The gate before a service's changes: it opens once hosts of earlier waves have applied them, or after a time. */
export interface WaveGate {
  hear(message: WaveMessage): void;
  /** True if changes up to a place in the stream may be applied. Otherwise it calls `poke` when it is time to ask again. */
  isOpen(mark: Place): boolean;
  /** A person does not want to wait for what came up to there. */
  approve(mark: Place): void;
  /** Nothing is pending any more: the next change waits its own time. */
  rest(): void;
}

export interface WaveGateOptions {
  readonly store: ServiceStore;
  /** The longest wait for hosts without a report, in milliseconds. */
  readonly within: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  poke(): void;
  /** The reason that status shows is another one. */
  onReportChanged(): void;
}

/** All but the reason that status shows is in memory: a host that starts runs on what it has, and waits for nobody. */
export function waveGate({ store, within, clock, signal, poke, onReportChanged }: WaveGateOptions): WaveGate {
  /** The place up to which the earlier waves have applied. */
  let done: Place | undefined;
  let failing: { readonly why: string; readonly from: Place; readonly until: number } | undefined;
  /** Since when changes wait. */
  let since: number | undefined;
  let asksAt: number | undefined;
  let shown: string | undefined;

  function show(why?: string): void {
    if (why === shown) return;
    store.waveWait.write(why);
    shown = why;
    onReportChanged();
  }

  function askAt(time: number): void {
    if (asksAt === time) return;
    asksAt = time;
    void clock.sleep(time - clock.monotonic(), signal).then(() => {
      if (asksAt === time && !signal.aborted) poke();
    });
  }

  const isDone = (place: Place): boolean => done !== undefined && comparePlaces(done, place) >= 0;
  const reach = (place: Place): void => {
    if (!isDone(place)) done = place;
  };

  return {
    hear({ epoch, seq, failing: why }) {
      const place = { epoch, seq };
      if (why === undefined) {
        reach(place);
        failing = undefined;
      } else failing = { why, from: place, until: clock.monotonic() + failsFor };
    },
    isOpen(mark) {
      if (isDone(mark)) return true;
      const now = clock.monotonic();
      since ??= now;
      // What a person has let go on anyway keeps nothing back that comes behind it.
      const fails = failing && !isDone(failing.from) ? failing : undefined;
      const until = Math.max(since + within, fails?.until ?? 0);
      if (now >= until) return true;
      askAt(until);
      const seconds = Math.round(within / 1_000);
      show(fails ? `waits for ${fails.why}` : `waits for the wave before it, ${seconds} s at most`);
      return false;
    },
    approve: reach,
    rest() {
      since = undefined;
      asksAt = undefined;
      show();
    },
  };
}
