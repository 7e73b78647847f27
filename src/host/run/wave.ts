import { comparePlaces, type Place, type WaveMessage } from "../../core/stream/messages.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ServiceStore } from "../store/service-store.ts";

/** How long a host is believed to fail that was last said to, in milliseconds: it reports each minute at least, and one that does not is absent. */
const failsFor = 3 * 60_000;

/** What keeps the changes of a service back until other hosts, of the waves before, have put them in force; never for ever. */
export interface WaveGate {
  hear(message: WaveMessage): void;
  /** Whether changes up to a place in the stream may be put in force. Where not, `poke` is called when it is time to ask again. */
  isOpen(mark: Place): boolean;
  /** A person does not want to wait for what came up to there. */
  approve(mark: Place): void;
  /** Nothing is owed any more: the next change waits its own time. */
  rest(): void;
}

export interface WaveGateOptions {
  readonly store: ServiceStore;
  /** How long changes wait for hosts that say nothing, in milliseconds. */
  readonly within: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  poke(): void;
  /** The reason that status shows is another one. */
  changed(): void;
}

/** All but the reason that status shows is in memory: a host that starts runs on what it has, and waits for nobody. */
export function waveGate({ store, within, clock, signal, poke, changed }: WaveGateOptions): WaveGate {
  /** How far those before are in force. */
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
    changed();
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
