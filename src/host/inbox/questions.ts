import type { TableQuestion } from "../../core/stream/host-end.ts";
import { backoff } from "../../core/util/backoff.ts";
import type { Clock } from "../../ports/clock.ts";

/** The waits for an answer, in milliseconds. */
const waits = { first: 5000, longest: 60_000 };

/**
 * The one open question of a host about a table. It is asked again until an answer arrives, because a question or its
 * answer can be lost.
 */
export interface Questions {
  ask(want: TableQuestion): void;
  /** Called when a message of the stream arrives: no question is open any more. */
  heard(): void;
}

export function questions(put: (want: TableQuestion) => void, clock: Clock, signal: AbortSignal): Questions {
  let open: AbortController | undefined;

  async function insist(want: TableQuestion, until: AbortSignal): Promise<void> {
    for (let times = 1; ; times += 1) {
      put(want);
      await clock.sleep(backoff(times, waits), until);
      if (until.aborted) return;
    }
  }

  return {
    ask(want) {
      open?.abort("asked again");
      open = new AbortController();
      insist(want, AbortSignal.any([open.signal, signal]));
    },
    heard() {
      open?.abort("heard");
      open = undefined;
    },
  };
}
