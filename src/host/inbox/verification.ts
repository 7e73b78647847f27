import type { DaemonCompared } from "../../core/stream/report.ts";
import { reason } from "../../core/util/errors.ts";
import type { ServiceStore } from "../store/service-store.ts";

export interface VerificationOptions {
  readonly store: ServiceStore;
  readonly signal: AbortSignal;
  /** Compares the daemon; left out where that is not done. It does not reject. */
  readonly compareDaemon: (() => Promise<DaemonCompared>) | undefined;
  onReportChanged(): void;
  log(line: string): void;
}

/** Answers `verify`: with how the next comparison of the table ended, then with how the daemon compares. */
export interface Verification {
  /** True for a new question: it may be repeated while no answer has come. One of 0 has no time, and is always new. */
  isNew(at: number): boolean;
  /** A person has asked for it, at this time: the next comparison is the answer. */
  asked(at: number): void;
  /** The table was compared. */
  compared(differed: boolean): void;
}

export function verification(options: VerificationOptions): Verification {
  const { store, signal, compareDaemon, onReportChanged, log } = options;
  let open: number | undefined;
  let comparing = false;
  let newest: number | undefined;
  // The life before did not come to its end with it.
  const before = store.verified.read();
  if (before?.daemon?.state === "comparing") {
    store.verified.write({ ...before, daemon: { state: "failed", why: "the host was stopped meanwhile" } });
  }

  /** Compares until the answer is to what was asked last. */
  async function answer(compare: () => Promise<DaemonCompared>): Promise<void> {
    for (let answered = Number.NaN; ; ) {
      const verified = store.verified.read();
      if (!verified || verified.asked === answered) return;
      answered = verified.asked;
      const daemon = await compare();
      if (signal.aborted) return;
      const now = store.verified.read();
      if (now?.asked !== answered) continue;
      store.verified.write({ ...now, daemon });
      onReportChanged();
    }
  }

  return {
    isNew(at) {
      const known = newest ?? store.verified.read()?.asked;
      newest = at;
      return at !== known || at === 0;
    },
    asked(at) {
      open = at;
    },
    compared(differed) {
      if (open === undefined) return;
      const daemon = compareDaemon && ({ state: "comparing" } as const);
      store.verified.write({ asked: open, differed, ...(daemon && { daemon }) });
      open = undefined;
      if (!compareDaemon || comparing) return;
      comparing = true;
      answer(compareDaemon)
        .catch((error) => log(`how its daemon compared was not kept: ${reason(error)}`))
        .finally(() => {
          comparing = false;
        });
    },
  };
}
