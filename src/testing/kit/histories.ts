import { rdnTexts } from "../../core/directory/dn.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import { coverOf } from "../../core/stream/cells.ts";
import type { Random } from "../random.ts";
import { type Case, chanceOf, type Moment, rowsFor } from "./case.ts";
import { type Cells, changesBetween, goodRows, isText, withValue } from "./samples.ts";
import type { Delivery } from "./world.ts";

/** Generated histories of a directory, as the messages that the host gets: the shortest first, equal for an equal seed. */
export function histories(on: Case, part: string, count: number): Moment[][] {
  const chance = chanceOf(on, part);
  return Array.from({ length: count }, (_, index) =>
    history(on, chance, { length: 2 + (index >> 1), some: index % 2 === 1 }),
  );
}

/** One history: it begins with all entries, or some, and each of its moments changes one of them. */
function history(on: Case, chance: Random, { length, some }: { length: number; some: boolean }): Moment[] {
  const givers = new Set(goodRows(rowsFor(on)).map(([key]) => coverOf(key)));
  const moving = on.entries.filter(({ uuid }) => givers.has(uuid));
  const absent = (uuid: string): boolean => some && givers.has(uuid) && chance.chance(0.5);
  const first = on.entries.filter(({ uuid }) => !absent(uuid));
  const present = new Map(first.map((entry) => [entry.uuid, entry]));
  const moments: Moment[] = [];
  let before: Cells = new Map();
  const say = (said: string): void => {
    const after = rowsFor(on, [...present.values()]);
    const changes = changesBetween(before, after);
    before = after;
    if (changes.length === 0 && moments.length > 0) return;
    moments.push({ said, changes, ...(moments.length > 0 && manner(chance)) });
  };
  say(`at first: ${present.size === 1 ? "1 entry" : `${present.size} entries`}`);
  for (let tries = 0; moments.length < length && tries < 10 * length; tries++) {
    const away = moving.filter(({ uuid }) => !present.has(uuid));
    const among = away.length > 0 && chance.chance(0.5) ? away : moving;
    const original = among[chance.below(among.length)];
    if (!original) break;
    say(change(present, original, moving, chance));
  }
  return moments;
}

/** The delivery of a change to the host: mostly once, and before the next one. */
function manner(chance: Random): Pick<Moment, "delivery" | "restart" | "hurried"> {
  const deliveries: readonly Delivery[] = ["once", "once", "twice", "lost"];
  return {
    delivery: deliveries[chance.below(deliveries.length)] ?? "once",
    restart: chance.chance(0.2),
    hurried: chance.chance(0.2),
  };
}

/** Changes one entry of a directory; returns a description of the change. */
function change(
  present: Map<string, StoredEntry>,
  original: StoredEntry,
  moving: readonly StoredEntry[],
  chance: Random,
): string {
  const { uuid, dn } = original;
  const now = present.get(uuid);
  if (!now) {
    present.set(uuid, original);
    return `${dn} is added again`;
  }
  const kind = chance.below(4);
  if (kind === 0) {
    present.delete(uuid);
    return `${dn} is removed`;
  }
  if (kind === 1) {
    const named = renamed(now);
    if (![...present.values()].some((entry) => entry.dn.endsWith(`,${now.dn}`) || entry.dn === named.dn)) {
      present.set(uuid, named);
      return `${now.dn} is renamed to ${named.dn}`;
    }
  }
  const attributes = [...now.attributes.keys()].filter((name) => name !== "objectclass");
  const attribute = attributes[chance.below(attributes.length)] ?? "";
  const other = moving[chance.below(moving.length)];
  if (kind === 2 && other && other.uuid !== uuid) {
    const values = other.attributes.get(attribute);
    const own = now.attributes.get(attribute) ?? [];
    const otherNow = present.get(other.uuid);
    if (values && otherNow) {
      present.set(uuid, withValue(now, attribute, values));
      present.set(other.uuid, withValue(otherNow, attribute, own));
      return `${dn} and ${other.dn} exchange their ${attribute}`;
    }
  }
  const values = (now.attributes.get(attribute) ?? []).map((value) => (isText(value) ? altered(value) : value));
  present.set(uuid, withValue(now, attribute, values));
  return `${dn} gets ${attribute}: ${values.map(String).join(", ")}`;
}

/** An entry under another name. */
function renamed(entry: StoredEntry): StoredEntry {
  const [leaf = "", ...above] = rdnTexts(entry.dn);
  const equals = leaf.indexOf("=");
  const attribute = leaf.slice(0, equals).toLowerCase();
  const name = altered(leaf.slice(equals + 1));
  return { ...withValue(entry, attribute, [name]), dn: [`${leaf.slice(0, equals)}=${name}`, ...above].join(",") };
}

/** A value that differs from another one in its last letter or digit. */
export function altered(value: string): string {
  const at = value.search(/[0-9a-z](?=[^0-9a-z]*$)/i);
  if (at < 0) return `${value}x`;
  const next = (letter: string, first: string, last: string): string =>
    letter === last ? first : String.fromCharCode(letter.charCodeAt(0) + 1);
  const letter = value[at] ?? "";
  const other = /[0-9]/.test(letter)
    ? next(letter, "1", "9")
    : /[a-f]/.test(letter)
      ? next(letter, "a", "f")
      : /[a-z]/.test(letter)
        ? next(letter, "g", "z")
        : next(letter, "A", "Z");
  return value.slice(0, at) + other + value.slice(at + 1);
}
