import type { Unread } from "../../core/directory/asked.ts";
import { attributeName } from "../../core/directory/attributes.ts";
import { isClass } from "../../core/directory/classes.ts";
import { readDate } from "../../core/directory/dates.ts";
import { parentOf, rdnValue } from "../../core/directory/dn.ts";
import type { Directory, Entry, Value } from "../../core/directory/entry.ts";
import { comparable } from "../../core/directory/matching.ts";
import { NotRead, Refusal, reason } from "../../core/util/errors.ts";
import type { Mirror } from "../mirror/mirror.ts";
import type { MirrorEntry } from "../mirror/mirror-entry.ts";
import { childrenOf, meant, parentAsWritten } from "../mirror/namesakes.ts";
import { childrenLook, contentLook, type Look, nameLook, whereLook } from "../mirror/read-set.ts";
import { readDn } from "../mirror/value-index.ts";

/** How the words read an entry. */
export interface Reading {
  readonly timezone: string;
  /** The attributes that cannot be read of the directory; undefined where all can. */
  readonly unread?: Unread | undefined;
}

/** What the words read, and whom they tell what was asked. */
export interface Looking extends Reading {
  readonly mirror: Mirror;
  /** The clock of this evaluation, milliseconds since 1970. */
  readonly now: number;
  looked(look: Look): void;
  /** The clock was asked; `next` is when the answer changes, if it will. */
  timed(next: number | undefined): void;
}

const isText = (value: Value): value is string => typeof value === "string";

/** The words of an entry. `read` is told before each look at its name or its content: one that is only counted is not looked at. */
export const entryWords = (entry: MirrorEntry, reading: Reading, read: () => void = () => {}): Entry =>
  new Words(entry, reading, read);

/** A class for the sake of its two getters. In an object literal they cost several times as much, and thousands are handed out at once. */
class Words implements Entry {
  readonly #dn: string;
  readonly #read: () => void;
  readonly uuid: string;
  // Of each entry's own, so that they can be taken out of it.
  readonly is: Entry["is"];
  readonly has: Entry["has"];
  readonly maybe: Entry["maybe"];
  readonly one: Entry["one"];
  readonly all: Entry["all"];
  readonly bytes: Entry["bytes"];
  readonly date: Entry["date"];

  constructor({ dn, uuid, attributes }: MirrorEntry, { timezone, unread }: Reading, read: () => void) {
    const values = (attribute: string): readonly Value[] => {
      read();
      const name = attributeName(attribute);
      mustBeRead(name, attribute, unread);
      return attributes.get(name) ?? none;
    };
    const maybe = (attribute: string): string | undefined => {
      const [value, second] = values(attribute);
      const about = attribute;
      if (second !== undefined)
        throw new Refusal(`${attribute} has ${values(attribute).length} values, expected one`, { about });
      if (value !== undefined && !isText(value)) throw new Refusal(`${attribute} is not text`, { about });
      return value;
    };
    this.#dn = dn;
    this.#read = read;
    this.uuid = uuid;
    this.is = (objectClass) => isClass(values("objectClass").filter(isText), objectClass);
    this.has = (attribute) => values(attribute).length > 0;
    this.maybe = maybe;
    this.one = (attribute) => {
      const value = maybe(attribute);
      if (value === undefined) throw new Refusal(`${attribute} is missing`, { about: attribute });
      return value;
    };
    this.all = (attribute) => values(attribute).filter(isText).sort();
    this.bytes = (attribute) => values(attribute).flatMap((value) => (isText(value) ? [] : [value.slice()]));
    this.date = (attribute) => {
      const text = maybe(attribute);
      if (text === undefined) return undefined;
      try {
        return readDate(text, timezone);
      } catch (error) {
        throw new Refusal(`${attribute}: ${reason(error)}`, { about: attribute });
      }
    };
  }

  get dn(): string {
    this.#read();
    return this.#dn;
  }

  get name(): string {
    this.#read();
    return rdnValue(this.#dn);
  }
}

/** The words of the directory and the clock. Each records its look before it answers, also where it finds nothing. */
export function directoryWords({ mirror, now, looked, timed, ...reading }: Looking): Directory {
  const hand = (entry: MirrorEntry): Entry => entryWords(entry, reading, () => looked(contentLook(entry.uuid)));
  const handAll = (answer: readonly MirrorEntry[]): Entry[] => {
    const hands = handsOf(answer, reading);
    hands.looked = looked;
    return hands.entries.slice(); // who gets them may sort them
  };
  const bearersOf = (normal: string): readonly MirrorEntry[] => {
    looked(nameLook(normal));
    const bearers = mirror.bearers(normal);
    // How each is spelled decides which of several is meant.
    if (bearers.length > 1) for (const { uuid } of bearers) looked(contentLook(uuid));
    return bearers;
  };
  const named = (dn: string): Entry | undefined => {
    const normal = readDn(dn);
    const entry = normal === undefined ? undefined : meant(bearersOf(normal), dn);
    return entry && hand(entry);
  };
  return {
    get: (dn) => (dn === undefined ? undefined : named(dn)),
    parent(entry) {
      const normal = readDn(entry.dn);
      return normal === undefined || parentOf(normal) === undefined ? undefined : named(parentAsWritten(entry.dn));
    },
    children(entry) {
      const normal = readDn(entry.dn);
      if (normal === undefined) return [];
      looked(childrenLook(normal));
      const below = mirror.below(normal);
      const bearers = bearersOf(normal);
      if (bearers.length > 1) for (const { uuid } of below) looked(contentLook(uuid));
      return handAll(childrenOf(entry.dn, bearers, below));
    },
    follow: (entry, attribute) => entry.all(attribute).flatMap((dn) => named(dn) ?? []),
    where(attribute, value) {
      const name = attributeName(attribute);
      mustBeRead(name, attribute, reading.unread);
      const comparison = typeof value === "string" ? "text" : "dn";
      const normal = typeof value === "string" ? comparable(name, value) : readDn(value.dn);
      if (normal === undefined) return [];
      looked(whereLook(comparison, name, normal));
      return handAll(mirror.where(comparison, name, normal));
    },
    reached(date) {
      const at = moment(date);
      if (at === undefined) return false;
      timed(now < at ? at : undefined);
      return now >= at;
    },
    during(from, until) {
      const start = moment(from) ?? Number.NEGATIVE_INFINITY;
      const end = moment(until) ?? Number.POSITIVE_INFINITY;
      if (start >= end) return false;
      const next = now < start ? start : end;
      timed(now < next && Number.isFinite(next) ? next : undefined);
      return now >= start && now < end;
    },
  };
}

const none: readonly Value[] = [];

/** The words of an answer of several entries, and the evaluation that asked for it last, which a read is told. */
interface Hands {
  readonly entries: readonly Entry[];
  looked: Looking["looked"];
}

const handsOfAnswers = new WeakMap<readonly MirrorEntry[], Hands>();

/** The words of an answer, made once: thousands of evaluations may ask for the same one, each when the one before is over. */
function handsOf(answer: readonly MirrorEntry[], reading: Reading): Hands {
  const known = handsOfAnswers.get(answer);
  if (known) return known;
  const hands: Hands = {
    looked() {},
    // Frozen: what one evaluation wrote into them the next one would read.
    entries: answer.map((entry) =>
      Object.freeze(entryWords(entry, reading, () => hands.looked(contentLook(entry.uuid)))),
    ),
  };
  handsOfAnswers.set(answer, hands);
  return hands;
}

/** Refuses the row of an attribute that cannot be read: what was never asked of the directory is not absent. */
function mustBeRead(name: string, written: string, unread: Unread | undefined): void {
  const why = unread?.(name);
  if (why !== undefined) throw new NotRead(`${written} is not read from the directory: ${why}`);
}

function moment(date: Date | undefined): number | undefined {
  if (date === undefined) return undefined;
  const at = Number(date);
  if (Number.isNaN(at)) throw new Refusal("a date that was compared with the clock is not one");
  return at;
}
