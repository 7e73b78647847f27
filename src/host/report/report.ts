import type { ServiceReport } from "../../core/stream/report.ts";
import { sayLeft } from "../inbox/say-left.ts";
import type { ServiceFacts } from "../store/facts.ts";
import { type Question, sayHold, sayRetained } from "../store/retained.ts";
import type { ServiceStore } from "../store/service-store.ts";

/**
 * The most retained keys and parked messages that a report lists, and the most characters of a reason. A report is read
 * up to 2 MiB.
 */
const named = 100;
const longest = 1_000;

/** The report of one service, read from its host's store alone. It works while the daemon is busy or not running. */
export function serviceReport(store: ServiceStore, facts = store.readFacts()): ServiceReport {
  const { messages, seen } = store;
  const form = facts?.form ?? "table";
  const pending = form === "plain" ? messages.waiting() : seen.countPending();
  const retained = seen.countRetained();
  const removals = retained > 0 ? store.removals.question() : undefined;
  const parked = messages.parked();
  const held = facts?.held && sayHold(facts.held);
  // Usually no row is retained and no message parked: then there is nothing to list.
  return {
    code: facts?.code ?? "",
    form,
    rows: facts?.rows ?? 0,
    stored: facts?.followed.mark,
    applied: facts?.applied,
    equal: facts?.followed.equal,
    verified: store.verified.read(),
    doubt: facts?.followed.doubt ?? false,
    serving: facts?.serving,
    pending,
    why: held ?? facts?.failing ?? store.waveWait.read() ?? waitsFor(form, pending, facts),
    failing: facts?.failing !== undefined,
    held,
    heldBy: facts?.held?.by,
    conflict: store.records.conflicts()?.digest,
    removals,
    refused: retained > 0 ? listRetained(store, removals) : [],
    refusedCount: retained,
    heldCount: retained > 0 ? seen.countConflicts() : 0,
    parked: parked > 0 ? messages.listParked(named).map((one) => ({ ...one, why: one.why.slice(0, longest) })) : [],
    parkedCount: parked,
    untrusted: store.untrusted.read(),
    reloads: store.ledger.pendingReloads(),
    ranAt: facts?.ranAt,
  };
}

const listRetained = ({ seen }: ServiceStore, question: Question | undefined): ServiceReport["refused"] =>
  seen.retained(named).map((row) => ({
    ...{ key: row.key, by: row.by, why: sayRetained(row, question) },
    ...{ since: row.since, retained: row.retained },
  }));

/** The sentences on what a service without a failure waits for; `left` is the part of its table still to come. */
export const waits = {
  fullRun: "a full run is pending",
  nextRun: "waits for its next run",
  table: (left: number) =>
    `waits for its table: ${left > 0 ? sayLeft(left) : "it was never compared with the transcriber's"}`,
  comparison: (left: number) =>
    `its table is being compared with the transcriber's${left > 0 ? `: ${sayLeft(left)}` : ""}`,
};

function waitsFor(form: string, pending: number, facts: ServiceFacts | undefined): string | undefined {
  const left = facts?.left ?? 0;
  if (form === "table" && !facts?.followed.equal) return waits.table(left);
  if (facts?.followed.doubt) return waits.comparison(left);
  if ((facts?.full ?? 0) > 0) return waits.fullRun;
  return pending > 0 ? waits.nextRun : undefined;
}
