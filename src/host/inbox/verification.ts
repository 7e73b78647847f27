import type { DaemonCompared } from "../../core/stream/report.ts";
import { reason } from "../../core/util/errors.ts";
import type { ServiceStore } from "../store/service-store.ts";

export interface VerificationOptions {
  readonly store: ServiceStore;
  readonly signal: AbortSignal;
  /** Compares the daemon; absent if there is no comparison. It does not reject. */
  readonly compareDaemon: (() => Promise<DaemonCompared>) | undefined;
  onReportChanged(): void;
  log(line: string): void;
}

/** Answers `verify`: with the result of the next comparison of the table, then with that of the daemon. */
export interface Verification {
  /** Notes that a person asked at this time: the next comparison is the answer. */
  asked(at: number): void;
  /** Notes that the table was compared. */
  compared(differed: boolean): void;
}

export function verification(options: VerificationOptions): Verification {
  const { store, signal, compareDaemon, onReportChanged, log } = options;
  let open: number | undefined;
  let comparing = false;
  // The earlier process may have ended before its comparison did.
  const before = store.verified.read();
  if (before?.daemon?.state === "comparing") {
    store.verified.write({ ...before, daemon: { state: "failed", why: "the host was stopped meanwhile" } });
  }

  /** Compares until the answer is to the latest question. */
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
        .catch((error) => log(`the comparison of its daemon could not be stored: ${reason(error)}`))
        .finally(() => {
          comparing = false;
        });
    },
  };
}
