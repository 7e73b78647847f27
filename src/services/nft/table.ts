import { createHash } from "node:crypto";
import type { Host } from "../../core/service/host-api.ts";
import type { Change, Run, RunResult, WaitingRow } from "../../core/service/service.ts";
import { CommandFailed, Held, reason } from "../../core/util/errors.ts";
import type { Columns } from "../../core/util/json.ts";
import type { BootFiles } from "./boot.ts";
import { acceptedRows, type Choose, choosing } from "./choice.ts";
import type { Listing, Nft } from "./kernel.ts";
import { gathered, isContested, isNothing, movesBetween, movesOf } from "./moves.ts";
import type { ElementSet, Elements } from "./sets.ts";
import { checkTexts, type Moves, movesText, type Place, structureText, tableText } from "./text.ts";

/** One table of the kernel, made to match its rows. */

export interface Context {
  readonly host: Host;
  readonly nft: Nft;
  readonly place: Place;
  readonly sets: readonly ElementSet[];
  readonly rules: string;
  /** The reason why the rules cannot be used. */
  readonly fault: Error | undefined;
  /** The files that the kernel reads at boot; undefined if there are none. */
  readonly boot: BootFiles | undefined;
}

/** The names of two notes about the table that trigger last wrote: a digest of its text, and one of nft's listing. */
const declaredNote = "declared";
const shownNote = "shown";
/** Set while refused rows keep rows and elements from being one to one: then every run compares the whole table. */
const unsureNote = "unsure";

export async function bringTable({ rows, changes, interrupted }: Run<Columns>, context: Context): Promise<RunResult> {
  const { host, sets } = context;
  if (changes && !interrupted && isDeclared(context) && host.memory.get(unsureNote) !== "yes") {
    const moves = movesOf(sets, changes);
    if (isNothing(moves)) return { serving: true };
    if (await move(context, moves)) {
      await writeBoot(context, moves, rows);
      return { serving: true };
    }
    await moveOthers(context, changes);
  }
  const refused = await compare({ rows, changes, interrupted }, context);
  return { refused, serving: true };
}

/**
 * Applies the changes; false if the kernel refuses them: it may have other elements than expected, or one of these is
 * wrong.
 */
async function move(context: Context, moves: Moves): Promise<boolean> {
  const { host, nft, place } = context;
  try {
    await nft.tell(movesText(place, moves));
    await verify(context, moves);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    host.log(`the whole table is compared, because nft refused the change: ${reason(error)}`);
    return false;
  }
  return true;
}

/**
 * Applies the changes that the kernel accepts, so they do not wait for the comparison that the others require.
 */
async function moveOthers(context: Context, changes: readonly Change<Columns>[]): Promise<void> {
  const { nft, place, sets } = context;
  const movesIn = (some: readonly (readonly [key: string, change: Change<Columns>])[]): Moves =>
    movesOf(
      sets,
      some.map(([, change]) => change),
    );
  if (changes.length < 2) return;
  try {
    const { good } = await acceptedRows(
      changes.map((change) => [change.key, change] as const),
      (some) => nft.check(some.length === 0 ? `delete ${nameOf(place)}\n` : movesText(place, movesIn(some))),
      () => "",
    );
    if (good.length > 0) await move(context, movesIn(good));
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error; // the table is not there: the comparison makes it
  }
}

/** Writes the changes that the kernel has accepted into the boot files. */
async function writeBoot({ nft, place, sets, rules, boot }: Context, moves: Moves, rows: Iterable<Columns>) {
  // nft 1.0.6 cannot take networks out of an interval set in the file that fills it: "interval overlaps with an existing one".
  const plain = ![...moves.remove, ...moves.add].some(([{ interval }]) => interval);
  if (!boot || (plain && (await boot.append(movesText(place, moves))))) return;
  const whole = tableText(place, sets, gathered(sets, rows), rules);
  await boot.fold(whole, () => nft.check(whole));
}

/** Reads the moved elements back from the kernel. */
async function verify({ host, nft, place }: Context, moves: Moves): Promise<void> {
  if (host.dry) return;
  for (const question of checkTexts(place, moves)) await nft.check(question);
}

/** Compares the whole table with the rows and mends the difference. */
async function compare({ rows, changes }: Run<Columns>, context: Context): Promise<readonly WaitingRow[]> {
  const { host, nft, place, sets, rules, boot } = context;
  const there = await nft.list(place, sets);
  await holdForeign(there, context);
  const entries = [...rows.entries()];
  const before = new Map(changes?.map((change) => [change.key, change.before]));
  const choose = choosing(sets, entries, (key) => before.get(key));
  const intact = there !== undefined && there.strange.length === 0 && isDeclaredAs(host, there) && isDeclared(context);
  const { wanted, refused } = intact ? await mend(there, choose, context) : await replace(there, choose, context);
  const whole = tableText(place, sets, wanted, rules);
  // The kernel has just accepted exactly this text when it replaced the table.
  await boot?.fold(whole, intact ? () => nft.check(whole) : undefined);
  const waiting = new Set(refused.map(({ key }) => key));
  const applied = entries.map(([key, row]) => (waiting.has(key) ? before.get(key) : row));
  // The earlier element of a refused row is unknown here, or another row has it now: its removal would then remove the
  // other row's element.
  const unsure = (refused.length > 0 && !changes) || isContested(sets, applied, wanted);
  host.memory.set(unsureNote, unsure ? "yes" : "");
  return refused;
}

/** Adds and removes the elements that differ. */
async function mend(there: Listing, choose: Choose, context: Context) {
  const { nft, place, sets } = context;
  const difference = (wanted: Elements): Moves => movesBetween(sets, there.elements, wanted);
  const chosen = await choose(
    ([set, key, value]) => there.elements.get(set)?.get(key) !== value,
    async (wanted) => {
      const text = movesText(place, difference(wanted));
      if (text !== "") await nft.check(text);
    },
  );
  const moves = difference(chosen.wanted);
  if (isNothing(moves)) return chosen;
  await nft.tell(movesText(place, moves));
  await verify(context, moves);
  return chosen;
}

/** Replaces the present table by the whole one. */
async function replace(there: Listing | undefined, choose: Choose, context: Context) {
  const { host, nft, place, sets, rules } = context;
  const text = (wanted: Elements): string => tableText(place, sets, wanted, rules);
  const fault = context.fault ?? (await faultOf(() => nft.check(text(new Map()))));
  if (fault) {
    // Wrong rules do not stop members: the elements of the present table still change.
    if (there && isDeclaredAs(host, there)) await mend(there, choose, context);
    throw new Error(`the rules or sets of ${nameOf(place)} are wrong, so they stay as they are`, { cause: fault });
  }
  const chosen = await choose(
    () => true,
    (wanted) => nft.check(text(wanted)),
  );
  host.owned.claim([nameOf(place)]);
  await nft.tell(text(chosen.wanted));
  if (host.dry) return chosen;
  const now = await nft.list(place, sets);
  if (now && (now.strange.length > 0 || !isNothing(movesBetween(sets, now.elements, chosen.wanted)))) {
    throw new Error(`${nameOf(place)} was replaced, but nft then shows other elements in it`);
  }
  host.memory.set(shownNote, now?.structure ?? "");
  host.memory.set(declaredNote, digest(structureText(place, sets, rules)));
  return chosen;
}

/** Throws `Held` for a table that existed before trigger ever wrote it. */
async function holdForeign(there: Listing | undefined, { host, place, boot }: Context): Promise<void> {
  const name = nameOf(place);
  if (!there || there.empty || (await boot?.isOurs())) return;
  const found = digest(there.structure);
  if (host.owned.has(name, found)) return host.owned.claim([name]);
  host.owned.hold([[name, found]]);
  throw new Held(
    `${name} exists, but trigger did not write it: it stays until its replacement is approved (or give another name as \`table\`)`,
  );
}

export const nameOf = ({ family, table }: Place): string => `table ${family} ${table}`;

/** True if the last table put in the kernel has the declaration that is wanted now. */
const isDeclared = ({ host, place, sets, rules, fault }: Context): boolean =>
  !fault && host.memory.get(declaredNote) === digest(structureText(place, sets, rules));

/** True if the table in the kernel has the declaration that trigger gave it. */
export const isDeclaredAs = (host: Host, { structure }: Listing): boolean => host.memory.get(shownNote) === structure;

async function faultOf(check: () => Promise<unknown>): Promise<Error | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    if (error instanceof CommandFailed) return error;
    throw error;
  }
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");
