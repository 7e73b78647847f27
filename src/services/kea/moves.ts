import type { Move } from "../records.ts";
import type { Placed } from "./config.ts";
import { type Content, reservationOf } from "./reservation.ts";
import type { Kea } from "./ways.ts";

/** Which of the moves of a run can be made, and which Kea would refuse. */

/** A move whose reservation has its place. */
export interface PlacedMove extends Move<Content> {
  readonly to: Placed | undefined;
}

/**
 * Gives each reservation its place. Refused are those whose address is in no subnet, and those whose address another client has:
 * somebody else's reservation is then held, so that it can be adopted.
 */
export function placeMoves(
  moves: readonly Move<Content>[],
  kea: Pick<Kea, "config" | "by" | "family" | "host" | "inTheWay">,
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

/** What is refused keeps its old address, which may be another one's new one: hence again until nothing more falls. */
function withoutTaken(
  moves: PlacedMove[],
  kea: Pick<Kea, "host" | "inTheWay">,
  holdersOf: (ip: string) => readonly string[],
  refused: Map<string, string>,
): PlacedMove[] {
  const { host, inTheWay } = kea;
  const moving = new Set(moves.map(({ name }) => name));
  const left = moves.filter(({ name, after }) => {
    const ip = after?.ip;
    const holder = ip === undefined ? undefined : holdersOf(ip).find((other) => other !== name && !moving.has(other));
    if (holder === undefined) return true;
    if (host.owned.has(holder, "of no content")) {
      inTheWay.ours.add(holder);
      refused.set(name, `${ip} is still reserved for ${holder}`);
      return false;
    }
    const why = `${ip} is reserved for ${holder}, which trigger did not write: \`trigger adopt ${host.service} "${holder}"\` removes that`;
    host.owned.hold([[holder]]);
    inTheWay.foreign.add(why);
    refused.set(name, why);
    return false;
  });
  return left.length === moves.length ? left : withoutTaken(left, kea, holdersOf, refused);
}

/** So many times a check is asked to find the guilty; what is then left is refused unseen. */
const checkLimit = 100;

/**
 * The moves that pass a check together; the others are refused with what it says. `check` gives undefined when all is well.
 * Moves that hand an address from one to another are tried together. Throws when the check fails with no move at all: then none is to blame.
 */
export async function sift(
  moves: readonly PlacedMove[],
  check: (moves: readonly PlacedMove[]) => Promise<string | undefined>,
  refused: Map<string, string>,
): Promise<PlacedMove[]> {
  let wrong = await check(moves);
  if (wrong === undefined) return [...moves];
  const nothing = await check([]);
  if (nothing !== undefined) throw new Error(`refused even without any change: ${nothing}`);

  const good: PlacedMove[] = [];
  let checks = 0;
  const passes = async (part: readonly PlacedMove[][]): Promise<string | undefined> => {
    checks += 1;
    const why = checks > checkLimit ? "not tried: Kea refuses too many others" : await check([...good, ...part.flat()]);
    if (why === undefined) good.push(...part.flat());
    return why;
  };
  const refuse = (part: readonly PlacedMove[][], why: string): void => {
    for (const { name } of part.flat()) refused.set(name, why);
  };
  const halve = async (part: readonly PlacedMove[][]): Promise<void> => {
    const why = await passes(part);
    if (why === undefined) return;
    if (part.length === 1 || checks > checkLimit) return refuse(part, why);
    const middle = part.length >> 1;
    await halve(part.slice(0, middle));
    await halve(part.slice(middle));
  };

  let rest = linked(moves);
  // Kea mostly names the one that it refuses: two checks then, whatever the number of the others.
  for (;;) {
    const said = wrong;
    const [accused, ...others] = rest.filter((group) => group.some((move) => isNamed(move, said)));
    if (!accused || others.length > 0) break;
    const why = await passes([accused]);
    if (why === undefined) break;
    refuse([accused], why);
    rest = rest.filter((group) => group !== accused);
    wrong = await passes(rest);
    if (wrong === undefined) return good;
  }
  await halve(rest.filter((group) => !group.some((move) => good.includes(move))));
  return good;
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
