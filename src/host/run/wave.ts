import { comparePlaces, type Place, type WaveMessage } from "../../core/stream/messages.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ServiceStore } from "../store/service-store.ts";

/**
 * The time for which a host counts as failing after its last report, in milliseconds. Hosts report at least each
 * minute.
 */
const failsFor = 3 * 60_000;

/** The gate before a service's changes: it opens once hosts of earlier waves have applied them, or after a time. */
export interface WaveGate {
  hear(message: WaveMessage): void;
  /**
   * True if changes up to a place in the stream may be applied. Otherwise it calls `poke` when it is time to ask again.
   */
  isOpen(mark: Place): boolean;
  /** Notes that a person ended the wait for the changes up to a place. */
  approve(mark: Place): void;
  /** Notes that nothing is pending any more: the next change waits for its own time. */
  rest(): void;
}

export interface WaveGateOptions {
  readonly store: ServiceStore;
  /** The longest wait for hosts without a report, in milliseconds. */
  readonly within: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  poke(): void;
  /** Called when the reason that status shows has changed. */
  onReportChanged(): void;
}

/**
 * Opens the gate of a service. Its state is in memory, except for the reason that status shows. A host that starts runs
 * on its stored rows, and waits for no host.
 */
export function waveGate({ store, within, clock, signal, poke, onReportChanged }: WaveGateOptions): WaveGate {
  /** The place up to which the earlier waves have applied. */
  let done: Place | undefined;
  let failing: { readonly why: string; readonly from: Place; readonly until: number } | undefined;
  /** The time since which changes wait. */
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
      // A failure in changes that a person approved does not hold back later ones.
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
