import type { Change, RunResult, Table } from "../../core/service/service.ts";
import { Away, Fatal, Held, reason } from "../../core/util/errors.ts";
import type { Columns } from "../../core/util/json.ts";
import type { ServiceFacts } from "../store/facts.ts";
import type { RunInput } from "../store/run-input.ts";
import { runOnGood } from "./bisect.ts";
import type { HostApi } from "./host-api.ts";
import { type RunContext, runDeadline } from "./run-context.ts";
import { withinDeadline } from "./within-deadline.ts";

/** The state of a service before its run. */
interface Before {
  readonly facts: ServiceFacts | undefined;
  /** The incarnation of the daemon. */
  readonly incarnation: string | undefined;
  /** The number of full runs that were ordered by then; the run is a full one while it is above 0. */
  readonly ordered: number;
}

/**
 * Runs a table service on the desired rows. When it returns, they are applied. When it throws, its keys stay in doubt.
 */
export async function runTable(table: Table, context: RunContext): Promise<void> {
  const { store, machine } = context;
  const before = await lookBefore(table, context);
  const full = before.ordered > 0;
  const first = store.runs.begin(table, { full, hold: () => holdRemovals(before, context) });
  try {
    await withinDeadline(context, runDeadline, async (signal) => {
      const files = fileAllowance(first.changes, before, context);
      const secret = (table.secret ?? []).length > 0;
      const options = { ...context, name: context.host, signal, secret, unsure: full, removable: files.removable };
      const done = await runOnGood(table, first, { ...options, full });
      signal.throwIfAborted();
      // A run on all rows may restart the daemon itself. A run on changes knows only the daemon that it began with.
      const whole = full || done.api.hasInstalled();
      const incarnation = whole ? await machine.incarnation(table.daemon) : before.incarnation;
      store.transaction(() => settle({ ...done, before, incarnation, filesWithRows: files.withRows() }, context));
      const blocked = done.api.blocked();
      if (blocked !== undefined) throw new Error(blocked);
    });
  } catch (error) {
    noteFailure(error, before, context);
    throw error;
  }
}

/** Looks at the daemon and the store before a run, and orders a full run if the daemon may have lost rows. */
async function lookBefore(table: Table, { store, machine }: RunContext): Promise<Before> {
  const { facts } = store;
  // A daemon that was restarted unnoticed has lost its rows: a run with changes alone would wrongly count the others as
  // applied.
  const incarnation = await machine.incarnation(table.daemon);
  if (facts !== undefined && facts.full === 0 && facts.incarnation !== incarnation) store.orderFullRun();
  if (store.runs.triedOtherwise()) store.orderFullRun();
  return { facts, incarnation, ordered: store.facts?.full ?? 0 };
}

/** Holds the removals of a run if they exceed the limit of an hour. */
function holdRemovals({ facts }: Before, { store, removals }: RunContext): void {
  if (!removals) return;
  const rule = { limit: removals.limit(facts?.rows ?? 0), mayEmpty: removals.mayEmpty };
  store.removals.hold(rule, removals.now());
}

interface FileAllowance {
  /** Takes a number of files, and returns how many of them may be removed without a question; undefined for no limit. */
  readonly removable: ((files: number) => number) | undefined;
  /** The number of files that may be removed together with their rows. */
  withRows(): number;
}

/**
 * The files that a run may remove. Files of rows that may be removed are removed with them. Further files count like
 * rows, as when the service's code wants fewer.
 */
function fileAllowance(
  changes: readonly Change<Columns>[],
  { facts }: Before,
  { store, removals }: RunContext,
): FileAllowance {
  const removedRows = changes.filter(({ after }) => after === undefined).length;
  const removedBefore = removals ? store.removals.within(removals.now()) : 0;
  let withRows = 0;
  const removable =
    removals &&
    ((files: number) => {
      withRows = Math.max(withRows, Math.ceil((removedRows * files) / Math.max(1, facts?.rows ?? 0)));
      return Math.max(removals.limit(files) - removedBefore, withRows, 0);
    });
  return { removable, withRows: () => withRows };
}

interface Done {
  readonly input: RunInput;
  readonly api: HostApi;
  readonly result: RunResult;
  readonly before: Before;
  /** The incarnation of the daemon that has the rows now. */
  readonly incarnation: string | undefined;
  /** The number of files that may be removed together with their rows. */
  readonly filesWithRows: number;
}

/** Writes the outcome of a successful run; in the caller's transaction. */
function settle(
  { input, api, result, before, incarnation, filesWithRows }: Done,
  { store, clock, machine, removals }: RunContext,
): void {
  const { followed } = before.facts ?? {};
  const { more, removed } = input.finish(result ?? {}, clock.now());
  const filesBeyondRows = Math.max(0, api.removedUnasked() - filesWithRows);
  store.removals.count(removed + filesBeyondRows, (removals ?? clock).now());
  api.storeNotes();
  const serving = machine.dry ? undefined : (api.serving() ?? result?.serving);
  const ranAt = clock.now();
  const now = store.facts;
  // Rows of a table in doubt may contradict each other. After a run on them, a full run follows once the table is
  // known to be right.
  const settled = Number(followed?.doubt === true && !now?.followed.doubt);
  // A full run that was ordered during this one is still pending.
  const full = (now?.full ?? 0) - before.ordered + settled;
  const mark = followed?.mark;
  const applied = mark && followed?.doubt ? { ...mark, doubt: followed.doubt } : mark;
  const rows = (now?.rows ?? 0) + more;
  const well = { failing: undefined, fatal: undefined };
  store.write({ ...well, full, rows, applied, serving, incarnation, ranAt });
  // The applied part counts. The rest is tried again, and reported until it is applied.
  if (api.blocked() !== undefined) store.orderFullRun();
}

/** Writes the failure of a run. Throws if the rows have changed meanwhile, for which the service would otherwise wait. */
function noteFailure(error: unknown, { facts, ordered }: Before, { store }: RunContext): void {
  const failing = reason(error);
  // A service that ran well without a probe has none.
  const serving = facts?.ranAt !== undefined && facts.serving === undefined ? undefined : false;
  // A daemon that did not answer may come back in any state.
  if (error instanceof Away && ordered === 0) store.orderFullRun();
  if (error instanceof Held) {
    // A person may have held the service meanwhile; only a person ends that.
    const held = store.facts?.held;
    store.write({ failing, serving, held: held?.by === "person" ? held : { by: "conflict", detail: failing } });
  } else if (!(error instanceof Fatal)) store.write({ failing, serving, fatal: undefined });
  else if (store.runs.changedMeanwhile()) {
    // The change of rows for which it waits has already happened.
    store.write({ failing, serving });
    throw new Error(failing);
  } else store.write({ failing, serving, fatal: failing });
}
