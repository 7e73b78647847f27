import type { Clock } from "../../ports/clock.ts";
import type { DirectorySource, KnownEntry, SourceChange } from "../../ports/directory.ts";
import type { Publisher } from "../publish/publisher.ts";
import type { TableChanges } from "../tables/transcription.ts";
import { followSource } from "./follow-source.ts";

export interface DirectoryReaderOptions {
  readonly source: DirectorySource;
  readonly publisher: Pick<Publisher, "write" | "complete" | "interrupt" | "digests">;
  /** The entries that the mirror holds. */
  readonly known: KnownEntry;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  log(line: string): void;
}

/** The reader of the directory: each change is written and published before the next one is read. */
export interface DirectoryReader {
  /** True once the mirror holds the whole directory. Until then nothing is published. */
  readonly complete: boolean;
  /** Resolves at the end of the first refresh. */
  readonly whole: Promise<void>;
  /** The reason why the directory cannot be read now, and the beginning of that trouble, in milliseconds since 1970. */
  readonly trouble: { readonly why: string; readonly since: number } | undefined;
  /** The newest finished order to verify: its time, and the number of entries that differed. */
  readonly verified: { readonly asked: number; readonly differed: number } | undefined;
  /** Reads the whole directory again, then publishes every digest. `orderedAt` is the time of the order; 0 if unknown. */
  verify(orderedAt: number): void;
  /** Resolves after the signal. */
  readonly done: Promise<void>;
}

export function readDirectory(options: DirectoryReaderOptions): DirectoryReader {
  const { source, publisher, known, clock, signal, log } = options;
  const whole = Promise.withResolvers<void>();
  let complete = false;
  let trouble: DirectoryReader["trouble"];
  let verified: DirectoryReader["verified"];
  /** The time of the order to verify that is being carried out. */
  let orderedAt: number | undefined;

  async function take(change: SourceChange): Promise<void> {
    if (change.kind === "trouble") return interrupted(change.why);
    const { state } = change;
    if (change.kind === "change")
      await publisher.write((tables, now) => tables.change(change.put, change.removed, now), state);
    else
      await publisher.write((tables, now) => tables.refresh(change.entries, now, change.requested), state, refreshed);
  }

  function interrupted(why: string): void {
    if (why !== trouble?.why) log(`the directory: ${why}`);
    trouble = { why, since: trouble?.since ?? clock.now() };
    publisher.interrupt();
  }

  function refreshed({ entries }: TableChanges): void {
    if (trouble) log("the directory can be read again");
    trouble = undefined;
    // Before the first reading the mirror is empty, and has nothing that could differ.
    const differed = complete ? entries.size : 0;
    complete = true;
    whole.resolve();
    publisher.complete();
    if (orderedAt === undefined) return;
    verified = { asked: orderedAt, differed };
    orderedAt = undefined;
    publisher.digests();
  }

  return {
    get complete() {
      return complete;
    },
    whole: whole.promise,
    get trouble() {
      return trouble;
    },
    get verified() {
      return verified;
    },
    verify(at) {
      // The same order may come again before it is answered.
      if (at !== 0 && at === (orderedAt ?? verified?.asked)) return;
      log("asked to verify: the directory is read again");
      orderedAt = at;
      source.refresh();
    },
    done: followSource(source, take, { clock, signal, known }),
  };
}
