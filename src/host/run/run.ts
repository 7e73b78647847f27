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

/** A run that takes longer is interrupted, in milliseconds. */
const runDeadline = { milliseconds: 10 * 60_000, what: "the run" };

/** Attempts at a plain message before it is parked: with the backoff, within a minute. */
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
    /** The last row may go unasked. */
    readonly mayEmpty: boolean;
    /** By which the hour is counted: the clock's time, but for what it jumps while the process lives. Milliseconds since 1970. */
    now(): number;
  };
  log(line: string): void;
}

/** Runs a table service on what is desired now. When it returns, that is applied; when it throws, its keys stay in doubt. */
export async function runTable(table: Table, context: RunContext): Promise<void> {
  const { store, clock, machine, removals } = context;
  const { facts } = store;
  const mark = facts?.followed.mark;
  // A daemon that was restarted since, unnoticed, has lost what it was given: a run by the changes alone would vouch for the rest.
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
      const gone = first.changes.filter(({ after }) => after === undefined).length;
      // Rows that may go take their files along; beyond that files count like rows, as where the service's code gives fewer.
      const went = removals ? store.removals.within(removals.now()) : 0;
      let withRows = 0;
      const spare =
        removals &&
        ((files: number) => {
          withRows = Math.max(withRows, Math.ceil((gone * files) / Math.max(1, facts?.rows ?? 0)));
          return Math.max(removals.limit(files) - went, withRows, 0);
        });
      const options = { ...context, name: context.host, signal, secret, unsure: changes === undefined, spare };
      const { input, api, result } = await runOnGood(table, first, { ...options, full: asked > 0 });
      signal.throwIfAborted();
      // A run that loads everything may restart the daemon itself; one by the changes knows only the daemon that it began with.
      const whole = changes === undefined || api.hasInstalled();
      const served = whole ? await machine.incarnation(table.daemon) : incarnation;
      store.transaction(() => {
        const { more, removed } = input.finish(result ?? {}, clock.now());
        const beside = Math.max(0, api.gone() - withRows);
        store.removals.count(removed + beside, (removals ?? clock).now());
        api.keep();
        const serving = machine.dry ? undefined : (api.serving() ?? result?.serving);
        const ranAt = clock.now();
        // A full run that was asked for while this one was under way is still pending.
        const now = store.facts;
        // Rows of a table in doubt may contradict each other: who has run on them runs on all of them once the table is known to be right.
        const settled = Number(doubt === true && !now?.followed.doubt);
        const full = (now?.full ?? 0) - asked + settled;
        const applied = mark && doubt ? { ...mark, doubt } : mark;
        const rows = (now?.rows ?? 0) + more;
        const well = { failing: undefined, fatal: undefined };
        store.write({ ...well, full, rows, applied, serving, incarnation: served, ranAt });
        // What could be done is done, and counts; the rest is tried again, and said until it is done.
        if (api.stuck() !== undefined) store.orderFullRun();
      });
      const stuck = api.stuck();
      if (stuck !== undefined) throw new Error(stuck);
    });
  } catch (error) {
    const failing = reason(error);
    // A service that ran well without a probe has none.
    const serving = facts?.ranAt !== undefined && facts.serving === undefined ? undefined : false;
    // A daemon that did not answer may come back with anything.
    if (error instanceof Away && asked === 0) store.orderFullRun();
    if (error instanceof Held) {
      // A person may have held it meanwhile, and that is only for a person to end.
      const held = store.facts?.held;
      store.write({
        failing,
        serving,
        held: held?.by === "person" ? held : { by: "conflict", detail: failing },
      });
    } else if (!(error instanceof Fatal)) store.write({ failing, serving, fatal: undefined });
    // What it waits for, that its rows move, has come already.
    else if (store.runs.movedMeanwhile()) {
      store.write({ failing, serving });
      throw new Error(failing);
    } else store.write({ failing, serving, fatal: failing });
    throw error;
  }
}

/** Handles the plain message that is next. Throws when it is to be tried again; parks one that keeps failing, so that the next go on. */
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
      // It is not tried any more: what waits for a person is not failing.
      store.write({ failing: undefined });
    });
    context.log(`message ${message.id} is parked: ${why}`);
  };
  const body = readMessage(message.body, store.name);
  // One that was set aside unread comes here by `trigger retry`: no attempt will make sense of it.
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
        api.keep();
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

/** The body for a handler, or the reason that it has none: a message that became invalid must not block the next. */
function readBody({ schema }: PlainService<unknown>, given: unknown): { body: unknown } | { wrong: string } {
  try {
    const read = schema.safeParse(given);
    return read.success ? { body: read.data } : { wrong: wrongBody(read.error) };
  } catch (error) {
    return { wrong: reason(error) };
  }
}
