import type { DatabaseSync } from "node:sqlite";
import type { RetainedBy } from "../core/stream/reasons.ts";
import type { ServiceReport } from "../core/stream/report.ts";
import { owedRows, readFacts, readVerified, retainedRows } from "./store/facts.ts";
import { owedReloads } from "./store/ledger.ts";
import { storedMessages } from "./store/messages.ts";
import { heldThings } from "./store/owned.ts";
import { prepared } from "./store/prepared.ts";
import { openQuestion } from "./store/removals.ts";
import { type Question, sayHold, sayRetained } from "./store/retained.ts";
import { conflictRows } from "./store/run-input.ts";
import { strangersOf } from "./store/untrusted.ts";
import { keptBack } from "./wave.ts";

/** The most kept keys and parked messages that a report names, and the most characters of a reason. A report is read up to 2 MiB. */
const named = 100;
const longest = 1_000;

/** What a host's store says of one service; read from the store alone, so that it can be asked while the daemon is busy, or gone. */
export function serviceReport(database: DatabaseSync, service: string): ServiceReport {
  const facts = readFacts(database, service);
  const messages = storedMessages(database, service);
  const count = (rows: string): number =>
    Number(prepared(database, `SELECT count(*) AS rows FROM ${rows}`).get(service)?.rows ?? 0);
  const form = facts?.form ?? "table";
  const owed = form === "plain" ? messages.waiting() : count(owedRows);
  const kept = count(retainedRows);
  const removals = kept > 0 ? openQuestion(database, service) : undefined;
  const parked = messages.parked();
  const held = facts?.held && sayHold(facts.held);
  // Mostly nothing is kept, and nothing parked: then there is nothing to list.
  return {
    code: facts?.code ?? "",
    form,
    rows: facts?.rows ?? 0,
    stored: facts?.followed.mark,
    loaded: facts?.loaded,
    equal: facts?.followed.equal,
    verified: readVerified(database, service),
    doubt: facts?.followed.doubt ?? false,
    proved: facts?.proved ?? false,
    owed,
    why: held ?? facts?.failing ?? keptBack(database, service) ?? waitsFor(form, owed, facts),
    failing: facts?.failing !== undefined,
    held,
    heldBy: facts?.held?.by,
    inTheWay: heldThings(database, service)?.digest,
    removals,
    refused: kept > 0 ? listKept(database, service, removals) : [],
    refusedCount: kept,
    heldCount: kept > 0 ? count(conflictRows) : 0,
    parked: parked > 0 ? messages.listParked(named).map((one) => ({ ...one, why: one.why.slice(0, longest) })) : [],
    parkedCount: parked,
    strangers: strangersOf(database, service),
    reloads: owedReloads(database, service),
    ranAt: facts?.ranAt,
  };
}

/** How much of a table is still to come, for people. */
export const sayLeft = (left: number): string =>
  `${(left * 100).toFixed(left < 0.1 ? 1 : 0)} % of it differs and is still to come`;

const listKept = (database: DatabaseSync, service: string, question: Question | undefined): ServiceReport["refused"] =>
  prepared(
    database,
    `SELECT key, retained_by, detail, since, loaded IS NOT NULL AS kept FROM ${retainedRows} ORDER BY key LIMIT ${named}`,
  )
    .all(service)
    .map(({ key, retained_by: by, detail, since, kept }) => ({
      key: String(key),
      by: by as RetainedBy,
      why: sayRetained({ by: by as RetainedBy, detail: String(detail) }, question),
      since: Number(since),
      kept: kept === 1,
    }));

function waitsFor(form: string, owed: number, facts: ReturnType<typeof readFacts>): string | undefined {
  const left = facts && facts.left > 0 ? `: ${sayLeft(facts.left)}` : "";
  if (form === "table" && !facts?.followed.equal)
    return `waits for its table${left || ": it was never compared with the transcriber's"}`;
  if (facts?.followed.doubt) return `its table is being compared with the transcriber's${left}`;
  if ((facts?.full ?? 0) > 0) return "a full run is owed";
  return owed > 0 ? "waits for its next run" : undefined;
}
