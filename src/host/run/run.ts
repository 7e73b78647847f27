import type { PlainService, Table } from "../../core/service/service.ts";
import { Away, Fatal, Held, reason } from "../../core/util/errors.ts";
import { wrongBody } from "../../core/util/wrong-body.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Machine } from "../../ports/machine.ts";
import { readMessage } from "../inbox/read-message.ts";
import { parkedLimit } from "../store/messages.ts";
import type { ServiceStore } from "../store/service-store.ts";
import { runOnGood } from "./bisect.ts";
import { hostApi } from "./host-api.ts";
import { withinDeadline } from "./within-deadline.ts";

/** One run of a service, from the store to the machine and back into the store. */

/** The time after which a run is interrupted, in milliseconds. */
const runDeadline = { milliseconds: 10 * 60_000, what: "the run" };

/** The attempts at a plain message before it is parked; with the backoff they take less than a minute. */
const attemptLimit = 6;

export interface RunContext {
  readonly host: string;
  readonly store: ServiceStore;
  readonly machine: Machine;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The most rows that may be removed within an hour, by the number applied; no limit without it. */
  readonly removals?: {
    limit(rows: number): number;
    /** True if the last row may be removed without a question. */
    readonly mayEmpty: boolean;
    /**
     * The clock that counts the hour, in milliseconds since 1970. It does not follow jumps of the wall clock while the
     * process lives.
     */
    now(): number;
  };
  log(line: string): void;
}

/**
 * Runs a table service on the desired rows. When it returns, they are applied. When it throws, its keys stay in doubt.
 */
export async function runTable(table: Table, context: RunContext): Promise<void> {
  const { store, clock, machine, removals } = context;
  const { facts } = store;
  const mark = facts?.followed.mark;
  // A daemon that was restarted unnoticed has lost its rows: a run with changes alone would wrongly count the others as
  // applied.
  const incarnation = await machine.incarnation(table.daemon);
  if (facts !== undefined && facts.full === 0 && facts.incarnation !== incarnation) store.orderFullRun();
  if (store.runs.triedOtherwise()) store.orderFullRun();
  const asked = store.facts?.full ?? 0;
  const hold = (): void => {
    if (!removals) return;
    const rule = { limit: removals.limit(facts?.rows ?? 0), mayEmpty: removals.mayEmpty };
    store.removals.hold(rule, removals.now());
  };
  const doubt = facts?.followed.doubt;
  const first = store.runs.begin(table, { full: asked > 0, hold });
  try {
    await withinDeadline(context, runDeadline, async (signal) => {
      const changes = asked > 0 ? undefined : first.changes;
      const secret = (table.secret ?? []).length > 0;
      const removedRows = first.changes.filter(({ after }) => after === undefined).length;
      // Files of rows that may be removed are removed with them. Further files count like rows, as when the service's
      // code wants fewer.
      const removedBefore = removals ? store.removals.within(removals.now()) : 0;
      let withRows = 0;
      const removable =
        removals &&
        ((files: number) => {
          withRows = Math.max(withRows, Math.ceil((removedRows * files) / Math.max(1, facts?.rows ?? 0)));
          return Math.max(removals.limit(files) - removedBefore, withRows, 0);
        });
      const options = { ...context, name: context.host, signal, secret, unsure: changes === undefined, removable };
      const { input, api, result } = await runOnGood(table, first, { ...options, full: asked > 0 });
      signal.throwIfAborted();
      // A run on all rows may restart the daemon itself. A run on changes knows only the daemon that it began with.
      const whole = changes === undefined || api.hasInstalled();
      const served = whole ? await machine.incarnation(table.daemon) : incarnation;
      store.transaction(() => {
        const { more, removed } = input.finish(result ?? {}, clock.now());
        const beside = Math.max(0, api.removedUnasked() - withRows);
        store.removals.count(removed + beside, (removals ?? clock).now());
        api.storeNotes();
        const serving = machine.dry ? undefined : (api.serving() ?? result?.serving);
        const ranAt = clock.now();
        // A full run that was ordered during this one is still pending.
        const now = store.facts;
        // Rows of a table in doubt may contradict each other. After a run on them, a full run follows once the table is
        // known to be right.
        const settled = Number(doubt === true && !now?.followed.doubt);
        const full = (now?.full ?? 0) - asked + settled;
        const applied = mark && doubt ? { ...mark, doubt } : mark;
        const rows = (now?.rows ?? 0) + more;
        const well = { failing: undefined, fatal: undefined };
        store.write({ ...well, full, rows, applied, serving, incarnation: served, ranAt });
        // The applied part counts. The rest is tried again, and reported until it is applied.
        if (api.blocked() !== undefined) store.orderFullRun();
      });
      const blocked = api.blocked();
      if (blocked !== undefined) throw new Error(blocked);
    });
  } catch (error) {
    const failing = reason(error);
    // A service that ran well without a probe has none.
    const serving = facts?.ranAt !== undefined && facts.serving === undefined ? undefined : false;
    // A daemon that did not answer may come back in any state.
    if (error instanceof Away && asked === 0) store.orderFullRun();
    if (error instanceof Held) {
      // A person may have held the service meanwhile; only a person ends that.
      const held = store.facts?.held;
      store.write({
        failing,
        serving,
        held: held?.by === "person" ? held : { by: "conflict", detail: failing },
      });
    } else if (!(error instanceof Fatal)) store.write({ failing, serving, fatal: undefined });
    // The change of rows for which it waits has already happened.
    else if (store.runs.changedMeanwhile()) {
      store.write({ failing, serving });
      throw new Error(failing);
    } else store.write({ failing, serving, fatal: failing });
    throw error;
  }
}

/**
 * Handles the next plain message. Throws if it must be tried again. A message that keeps failing is parked, so that the
 * next ones are handled.
 */
export async function handleNext(plain: PlainService<unknown>, context: RunContext): Promise<void> {
  const { store, clock } = context;
  const { messages } = store;
  const message = messages.next();
  if (!message) return;
  const tryAgain = (why: string): void => {
    messages.failed(message, why);
    store.write({ failing: why });
  };
  const park = (why: string): void => {
    if (!messages.roomToPark()) {
      const waits = `${why}; it waits until one of the ${parkedLimit} parked is dropped or tried again`;
      tryAgain(waits);
      throw new Error(waits);
    }
    store.transaction(() => {
      messages.park(message, why);
      // It is not tried any more: a message that waits for a person is no failure.
      store.write({ failing: undefined });
    });
    context.log(`message ${message.id} is parked: ${why}`);
  };
  const body = readMessage(message.body, store.name);
  // A message that was set aside unread comes here after `trigger retry`: no attempt will make it readable.
  if ("wrong" in body) return park(body.wrong);
  if ("own" in body) return park(`a message of the protocol: ${body.own.kind}`);
  const read = readBody(plain, body.plain);
  if ("wrong" in read) return park(read.wrong);
  try {
    await withinDeadline(context, runDeadline, async (signal) => {
      const api = hostApi({ ...context, name: context.host, signal, secret: false });
      await plain.handle(read.body, api.host);
      signal.throwIfAborted();
      store.transaction(() => {
        messages.done(message);
        api.storeNotes();
        store.write({ failing: undefined, ranAt: clock.now() });
      });
    });
  } catch (error) {
    const why = reason(error);
    context.signal.throwIfAborted();
    if (error instanceof Fatal || message.attempts + 1 >= attemptLimit) return park(why);
    tryAgain(why);
    throw error;
  }
}

/** The body for a handler, or the reason why it has none: a message that became invalid must not block the next one. */
function readBody({ schema }: PlainService<unknown>, given: unknown): { body: unknown } | { wrong: string } {
  try {
    const read = schema.safeParse(given);
    return read.success ? { body: read.data } : { wrong: wrongBody(read.error) };
  } catch (error) {
    return { wrong: reason(error) };
  }
}
