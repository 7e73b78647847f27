import { bisect } from "../../core/util/bisect.ts";
import type { Move } from "../records.ts";
import type { Placed } from "./config.ts";
import { type Content, reservationOf } from "./reservation.ts";
import type { Kea } from "./ways.ts";

/** The moves of a run, divided into acceptable ones and those that Kea would refuse. */

/** A move whose reservation has its place. */
export interface PlacedMove extends Move<Content> {
  readonly to: Placed | undefined;
}

/**
 * Gives each reservation its place. It refuses a reservation whose address is in no subnet, or belongs to another
 * client. A foreign reservation is then held, so that it can be adopted.
 */
export function placeMoves(
  moves: readonly Move<Content>[],
  kea: Pick<Kea, "config" | "by" | "family" | "host" | "conflicts">,
  holdersOf: (ip: string) => readonly string[],
  refused: Map<string, string>,
): PlacedMove[] {
  const placed: PlacedMove[] = [];
  for (const move of moves) {
    const { name, after } = move;
    const place = after?.ip === undefined ? undefined : kea.config.placeOf(after.ip);
    if (after && place && "id" in place) {
      placed.push({ ...move, to: { id: place.id, reservation: reservationOf(name, after, kea.by, kea.family) } });
    } else if (place && "why" in place) refused.set(name, place.why);
    else placed.push({ ...move, to: undefined });
  }
  return withoutTaken(placed, kea, holdersOf, refused);
}

/**
 * Moves without those whose address is taken. A refused client keeps its old address, which may be the new one of
 * another client. Hence the repetition until no more are refused.
 */
function withoutTaken(
  moves: PlacedMove[],
  kea: Pick<Kea, "host" | "conflicts">,
  holdersOf: (ip: string) => readonly string[],
  refused: Map<string, string>,
): PlacedMove[] {
  const { host, conflicts } = kea;
  const moving = new Set(moves.map(({ name }) => name));
  const left = moves.filter(({ name, after }) => {
    const ip = after?.ip;
    const holder = ip === undefined ? undefined : holdersOf(ip).find((other) => other !== name && !moving.has(other));
    if (holder === undefined) return true;
    if (host.owned.has(holder, "of no content")) {
      conflicts.ours.add(holder);
      refused.set(name, `${ip} is still reserved for ${holder}`);
      return false;
    }
    const why = `${ip} is reserved for ${holder}, which trigger did not write: \`trigger adopt ${host.service} "${holder}"\` removes it`;
    host.owned.hold([[holder]]);
    conflicts.foreign.add(why);
    refused.set(name, why);
    return false;
  });
  return left.length === moves.length ? left : withoutTaken(left, kea, holdersOf, refused);
}

/** The most checks to find the moves that Kea refuses; the moves left after them are refused without a check. */
const checkLimit = 100;

/**
 * The moves that pass a check together; the others are refused with the answer. `check` gives undefined if it accepts
 * them. Moves that hand an address from one client to another are tried together. Throws if the check fails without any
 * move: then no move is to blame.
 */
export async function acceptedMoves(
  moves: readonly PlacedMove[],
  check: (moves: readonly PlacedMove[]) => Promise<string | undefined>,
  refused: Map<string, string>,
): Promise<PlacedMove[]> {
  const said = await check(moves);
  if (said === undefined) return [...moves];
  const options = { said, blamed, independent: true, checks: checkLimit };
  const found = await bisect(linked(moves), (groups) => check(groups.flat()), options);
  if ("baseline" in found) throw new Error(`refused even without any change: ${found.baseline}`);
  const refuse = (group: readonly PlacedMove[], why: string): void => {
    for (const { name } of group) refused.set(name, why);
  };
  for (const { items, why } of found.refused) refuse(items.flat(), why);
  refuse(found.untried.flat(), "not checked: Kea refuses too many others");
  return found.good.flat();
}

/**
 * The group that Kea's answer names. Kea mostly names the refused one: then two checks are enough for any number of
 * moves.
 */
function blamed(groups: readonly PlacedMove[][], said: string): PlacedMove[] | undefined {
  const [named, ...others] = groups.filter((group) => group.some((move) => isNamed(move, said)));
  return others.length === 0 ? named : undefined;
}

const isNamed = ({ name, after }: PlacedMove, said: string): boolean =>
  said.includes(`'${name}`) || (after?.ip !== undefined && said.includes(`'${after.ip}'`));

/** The moves in groups: those that have an address in common, before or after, are together. */
export function linked(moves: readonly PlacedMove[]): PlacedMove[][] {
  const groups = new Map<string, Set<PlacedMove>>();
  for (const move of moves) {
    const addresses = [move.before?.ip, move.after?.ip].flatMap((ip) => ip ?? []);
    const joined = new Set([...addresses.flatMap((ip) => [...(groups.get(ip) ?? [])]), move]);
    for (const { before, after } of joined) {
      for (const ip of [before?.ip, after?.ip]) if (ip !== undefined) groups.set(ip, joined);
    }
  }
  const alone = moves.filter(({ before, after }) => before?.ip === undefined && after?.ip === undefined);
  return [...new Set(groups.values())].map((group) => [...group]).concat(alone.map((move) => [move]));
}
