import { createHash } from "node:crypto";
import type { Host } from "../../core/service/host-api.ts";
import type { Change, KeptRow, Run, RunResult } from "../../core/service/service.ts";
import { CommandFailed, Held, reason } from "../../core/util/errors.ts";
import type { Columns } from "../../core/util/json.ts";
import type { BootFiles } from "./boot.ts";
import { acceptedRows, type Choose, choosing } from "./choice.ts";
import type { Listing, Nft } from "./kernel.ts";
import { gathered, isContested, isNothing, movesBetween, movesOf } from "./moves.ts";
import type { ElementSet, Elements } from "./sets.ts";
import { type Moves, movesText, type Place, proofTexts, structureText, tableText } from "./text.ts";

/** One table of the kernel, brought to its rows. */

export interface Ground {
  readonly host: Host;
  readonly nft: Nft;
  readonly place: Place;
  readonly sets: readonly ElementSet[];
  readonly rules: string;
  /** Why the rules cannot be had. */
  readonly fault: Error | undefined;
  /** What is loaded at boot; undefined when nothing is. */
  readonly boot: BootFiles | undefined;
}

/** What was last put in the kernel: a digest of its text, and one of what nft then showed of it. */
const declaredNote = "declared";
const shownNote = "shown";
/** Set while rows and elements are not one to one, because of refused rows: then every run compares the whole. */
const unsureNote = "unsure";

export async function bringTable({ rows, changes, interrupted }: Run<Columns>, ground: Ground): Promise<RunResult> {
  const { host, sets } = ground;
  if (changes && !interrupted && isDeclared(ground) && host.memory.get(unsureNote) !== "yes") {
    const moves = movesOf(sets, changes);
    if (isNothing(moves)) return { proved: !host.dry };
    if (await move(ground, moves)) {
      await writeBoot(ground, moves, rows);
      return { proved: !host.dry };
    }
    await moveOthers(ground, changes);
  }
  const refused = await compare({ rows, changes, interrupted }, ground);
  return { refused, proved: !host.dry };
}

/** Moves what changed; false when the kernel refuses it: it may have other elements than we believe, or a single one of these is wrong. */
async function move(ground: Ground, moves: Moves): Promise<boolean> {
  const { host, nft, place } = ground;
  try {
    await nft.tell(movesText(place, moves));
    await prove(ground, moves);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    host.log(`the whole table is compared, because nft refused the change: ${reason(error)}`);
    return false;
  }
  return true;
}

/** Moves those changes that the kernel takes, so that they need not wait for the comparison that the others call for. */
async function moveOthers(ground: Ground, changes: readonly Change<Columns>[]): Promise<void> {
  const { nft, place, sets } = ground;
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
    if (good.length > 0) await move(ground, movesIn(good));
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error; // the table is not there: the comparison makes it
  }
}

/** Writes down for the boot what the kernel has taken. */
async function writeBoot({ nft, place, sets, rules, boot }: Ground, moves: Moves, rows: Iterable<Columns>) {
  // nft 1.0.6 cannot take networks out of an interval set in the file that fills it: "interval overlaps with an existing one".
  const plain = ![...moves.remove, ...moves.add].some(([{ interval }]) => interval);
  if (!boot || (plain && (await boot.append(movesText(place, moves))))) return;
  const whole = tableText(place, sets, gathered(sets, rows), rules);
  await boot.fold(whole, () => nft.check(whole));
}

/** Asks the kernel back what was moved. */
async function prove({ host, nft, place }: Ground, moves: Moves): Promise<void> {
  if (host.dry) return;
  for (const question of proofTexts(place, moves)) await nft.check(question);
}

/** Compares the whole table with the rows and mends the difference. */
async function compare({ rows, changes }: Run<Columns>, ground: Ground): Promise<readonly KeptRow[]> {
  const { host, nft, place, sets, rules, boot } = ground;
  const there = await nft.list(place, sets);
  await holdForeign(there, ground);
  const entries = [...rows.entries()];
  const before = new Map(changes?.map((change) => [change.key, change.before]));
  const choose = choosing(sets, entries, (key) => before.get(key));
  const intact = there !== undefined && there.strange.length === 0 && isDeclaredAs(host, there) && isDeclared(ground);
  const { wanted, refused } = intact ? await mend(there, choose, ground) : await replace(there, choose, ground);
  const whole = tableText(place, sets, wanted, rules);
  // The kernel has just taken this very text when it replaced the table.
  await boot?.fold(whole, intact ? () => nft.check(whole) : undefined);
  const waiting = new Set(refused.map(({ key }) => key));
  const inForce = entries.map(([key, row]) => (waiting.has(key) ? before.get(key) : row));
  // What a refused row had is not known here, or another row has it now: what the one gives up is then the other's.
  const unsure = (refused.length > 0 && !changes) || isContested(sets, inForce, wanted);
  host.memory.set(unsureNote, unsure ? "yes" : "");
  return refused;
}

/** Adds and removes the elements that differ. */
async function mend(there: Listing, choose: Choose, ground: Ground) {
  const { nft, place, sets } = ground;
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
  await prove(ground, moves);
  return chosen;
}

/** Puts the whole table in the place of the one that is there. */
async function replace(there: Listing | undefined, choose: Choose, ground: Ground) {
  const { host, nft, place, sets, rules } = ground;
  const text = (wanted: Elements): string => tableText(place, sets, wanted, rules);
  const fault = ground.fault ?? (await faultOf(() => nft.check(text(new Map()))));
  if (fault) {
    // Wrong rules stop no member: the elements of the table that is there go on moving.
    if (there && isDeclaredAs(host, there)) await mend(there, choose, ground);
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
    throw new Error(`${nameOf(place)} was replaced, and nft then shows other elements in it than were put there`);
  }
  host.memory.set(shownNote, now?.structure ?? "");
  host.memory.set(declaredNote, digest(structureText(place, sets, rules)));
  return chosen;
}

/** Throws `Held` for a table that was there before trigger ever wrote it. */
async function holdForeign(there: Listing | undefined, { host, place, boot }: Ground): Promise<void> {
  const name = nameOf(place);
  if (!there || there.empty || (await boot?.isOurs())) return;
  const found = digest(there.structure);
  if (host.owned.has(name, found)) return host.owned.claim([name]);
  host.owned.hold([[name, found]]);
  throw new Held(
    `${name} is there, and trigger did not write it: it stays until it is approved, and is then replaced (or give another name as \`table\`)`,
  );
}

export const nameOf = ({ family, table }: Place): string => `table ${family} ${table}`;

/** Whether what was last put in the kernel is declared as it is wanted now. */
const isDeclared = ({ host, place, sets, rules, fault }: Ground): boolean =>
  !fault && host.memory.get(declaredNote) === digest(structureText(place, sets, rules));

/** Whether the table in the kernel is declared as it was when trigger put it there. */
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
