import { backoff } from "../../core/util/backoff.ts";
import { reason } from "../../core/util/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { DirectorySource, KnownEntry, SourceChange } from "../../ports/directory.ts";

/**
 * Delivers the changes of a source until the signal, each after the last one is taken. The end or an error of a source
 * is trouble like any other: the source is followed again after a wait.
 */
export async function followSource(
  source: Pick<DirectorySource, "changes">,
  take: (change: SourceChange) => Promise<void>,
  { clock, signal, known }: { readonly clock: Clock; readonly signal: AbortSignal; readonly known: KnownEntry },
): Promise<void> {
  for (let failures = 0; !signal.aborted; ) {
    try {
      for await (const change of source.changes(signal, known)) {
        await take(change);
        failures = 0;
      }
      if (signal.aborted) return;
      throw new Error("the directory's source has ended");
    } catch (error) {
      await take({ kind: "trouble", why: reason(error) });
      failures += 1;
      await clock.sleep(backoff(failures), signal);
    }
  }
}
