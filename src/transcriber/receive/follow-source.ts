import { backoff } from "../../core/util/backoff.ts";
import { reason } from "../../core/util/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { DirectorySource, Held, SourceChange } from "../../ports/directory.ts";

/** Hands over what a source delivers until the signal, the next when the last one is taken. A source that ends or throws is trouble like any other, and is followed again after a wait. */
export async function followSource(
  source: DirectorySource,
  take: (change: SourceChange) => Promise<void>,
  { clock, signal, held }: { readonly clock: Clock; readonly signal: AbortSignal; readonly held: Held },
): Promise<void> {
  for (let failures = 0; !signal.aborted; ) {
    try {
      for await (const change of source.changes(signal, held)) {
        await take(change);
        failures = 0;
      }
      if (signal.aborted) return;
      throw new Error("the directory says no more");
    } catch (error) {
      await take({ kind: "trouble", why: reason(error) });
      failures += 1;
      await clock.sleep(backoff(failures), signal);
    }
  }
}
