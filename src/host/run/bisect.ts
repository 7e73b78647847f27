import type { Change, RunResult, Table, WaitingRow } from "../../core/service/service.ts";
import { claimsOf } from "../../core/service/unique.ts";
import { bisect } from "../../core/util/bisect.ts";
import { reason, TextDoubted, TextRefused } from "../../core/util/errors.ts";
import type { Columns } from "../../core/util/json.ts";
import { overlayRows } from "../store/overlay-rows.ts";
import type { RunInput } from "../store/run-input.ts";
import { type HostApi, type HostApiOptions, hostApi } from "./host-api.ts";
import { tryRun } from "./trial.ts";

/**
 * The search for the changes that a check refuses, by the check alone: the rows to blame wait, the others are applied.
 */

/** The limits of one search: checks, and milliseconds of a run's ten minutes. */
const budget = { checks: 100, time: 60_000 };
const spent = `${budget.checks} checks and ${budget.time / 1000} s`;

interface Done {
  readonly input: RunInput;
  readonly api: HostApi;
  readonly result: RunResult;
}
type Options = HostApiOptions & {
  /** True if the run gets no changes, but all rows. */
  readonly full: boolean;
};

/**
 * Runs a service. If a check refuses its text, it runs once more without the rows to blame. If these are not found, it
 * throws the error of the first run.
 */
export async function runOnGood(table: Table, input: RunInput, options: Options): Promise<Done> {
  try {
    return await runOn(table, input, options);
  } catch (error) {
    if (!(error instanceof TextRefused || error instanceof TextDoubted)) throw error;
    const found = await findRowsToBlame(table, input, options);
    if ("undecided" in found) throw undecided(error, found.undecided, input.changes.length);
    const { blamed } = found;
    const wait = `${blamed.flat().length} of ${input.changes.length} changes wait: ${blamed[0]?.[0]?.why}`;
    // The checks may take a minute. If a person holds the service meanwhile, nothing new is written.
    if (options.store.facts?.held?.by === "person")
      throw new Error(`${error.message}; a person has held it meanwhile`, { cause: error.cause });
    options.log(blamed.length > 0 ? wait : "the check no longer refuses them, so they are tried again");
    return await runOn(table, input.without(blamed, options.clock.now()), options).catch((again) => {
      // A text that passed a moment ago is not given up: something else has changed meanwhile.
      throw again instanceof TextRefused ? new Error(again.message, { cause: again.cause }) : again;
    });
  }
}

async function runOn(table: Table, input: RunInput, { full, ...options }: Options): Promise<Done> {
  const api = hostApi(options);
  const changes = full ? undefined : input.changes;
  const result = await table.run({ rows: input.rows, changes, interrupted: input.interrupted }, api.host);
  return { input, api, result };
}

/** The error after a search that found no row to blame: `error`, in its own class, with the reason `why`. */
function undecided(error: TextRefused | TextDoubted, why: string, changes: number): Error {
  const wait = changes > 0 ? `all ${changes} changes wait: ` : "";
  const said = `${error.message}; ${wait}${why}`;
  const options = { cause: error.cause };
  return error instanceof TextRefused ? new TextRefused(said, options) : new TextDoubted(said, options);
}

/** The rows that the check refuses, those of a linked group together; or the reason why they are not known. */
async function findRowsToBlame(
  table: Table,
  input: RunInput,
  { full, ...options }: Options,
): Promise<{ blamed: readonly WaitingRow[][] } | { undecided: string }> {
  const { clock } = options;
  const end = clock.monotonic() + budget.time;
  const { changes, interrupted } = input;
  if (changes.length === 0) return { undecided: "no row has changed, so no row is to blame" };
  const check = (some: readonly (readonly Change<Columns>[])[]): Promise<string | undefined> => {
    const taken = new Set(some.flat());
    const left = new Map(changes.filter((change) => !taken.has(change)).map(({ key, before }) => [key, before]));
    const run = {
      rows: overlayRows(input.rows, left),
      changes: full ? undefined : changes.filter((change) => taken.has(change)),
      interrupted,
    };
    return tryRun(table, run, options);
  };
  try {
    const limits = { checks: budget.checks, isOver: () => clock.monotonic() >= end };
    const found = await bisect(linked(table.unique ?? [], changes), check, limits);
    if ("baseline" in found) {
      const what = found.at === "start" ? "the applied rows" : "the rows that it accepted before";
      return { undecided: `it also refuses ${what}: ${found.baseline}` };
    }
    if (found.untried.length > 0) return { undecided: `not all rows to blame were found within ${spent}` };
    return { blamed: found.refused.map(({ items, why }) => items.flat().map(({ key }): WaitingRow => ({ key, why }))) };
  } catch (error) {
    options.signal.throwIfAborted();
    return { undecided: `the rows to blame cannot be found: ${reason(error)}` };
  }
}

/**
 * The changes in groups. Those that claim one unique value, before or after, belong together: one may give it to the
 * other.
 */
export function linked(unique: readonly string[], changes: readonly Change<Columns>[]): Change<Columns>[][] {
  const groupOf = new Map<string, Change<Columns>[]>();
  const groups = new Set<Change<Columns>[]>();
  const claims = ({ before, after }: Change<Columns>): string[] =>
    [before, after].flatMap((row) => (row ? claimsOf(unique, row) : []));
  for (const change of changes) {
    const met = new Set(
      claims(change).flatMap((claim) => [groupOf.get(claim) ?? []].filter(({ length }) => length > 0)),
    );
    // The smaller groups join the largest, so that a long chain is not copied over and over.
    const [largest = [], ...others] = [...met].sort((a, b) => b.length - a.length);
    groups.add(largest);
    for (const group of others) groups.delete(group);
    for (const one of [...others.flat(), change]) {
      largest.push(one);
      for (const claim of claims(one)) groupOf.set(claim, largest);
    }
  }
  return [...groups];
}
