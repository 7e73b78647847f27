import { parentOf, readDn } from "../../core/directory/dn.ts";
import type { Directory, Entry } from "../../core/directory/entry.ts";
import { comparable } from "../../core/directory/matching.ts";
import { Refusal } from "../../core/util/errors.ts";
import { atOnce, type SlicedWork } from "../../core/util/slices.ts";
import type { Mirror, Preparation } from "../mirror/mirror.ts";
import type { MirrorEntry } from "../mirror/mirror-entry.ts";
import { childrenOf, type Namesakes, parentAsWritten } from "../mirror/namesakes.ts";
import { childrenRead, contentRead, nameRead, type Read, valueRead } from "../mirror/read-set.ts";
import { type EntryContext, entryApi, mustBeRead } from "./entry-api.ts";
import type { EntryBudget } from "./entry-budget.ts";

/** The context of one evaluation: the mirror and the time that it reads, and the record of its reads. */
export interface EvaluationContext extends EntryContext {
  readonly mirror: Mirror;
  /** The time of this evaluation, milliseconds since 1970. */
  readonly now: number;
  readonly budget: Pick<EntryBudget, "look" | "compare">;
  /** Asks for long work that must precede an answer, and the evaluation is repeated. Without it, it is done at once. */
  needs?(work: Preparation): void;
  record(read: Read): void;
  /** Records a read of the clock; `next` is the time at which its answer changes, if it does. */
  timed(next: number | undefined): void;
}

/**
 * The API of the directory and the clock for `select`. It records each read before it answers, also one without an
 * answer.
 */
export function directoryApi({ mirror, now, budget, record, timed, needs, ...context }: EvaluationContext): Directory {
  const read = (uuid: string, values: number): void => {
    record(contentRead(uuid));
    budget.look(values);
  };
  const api = (entry: MirrorEntry): Entry => entryApi(entry, context, (values) => read(entry.uuid, values));
  const mustPrecede = (work: Preparation | undefined): void => {
    if (!work || !needs) return;
    needs(work);
    throw new Error("the answer is not prepared yet");
  };
  const apis = (answer: readonly MirrorEntry[], isKept = true): Entry[] => {
    budget.look(1 + answer.length);
    if (isKept && answer.length >= large && !sharedAnswers.has(answer))
      mustPrecede(() => shareInSlices(answer, context));
    const shared = sharedAnswer(answer, context);
    shared.read = read;
    return shared.entries.slice(); // `select` may sort them
  };
  const { schema } = mirror;
  const namesakes = (normal: string): Namesakes => {
    record(nameRead(normal));
    const found = mirror.namesakes(normal);
    budget.compare(found.entries.length);
    return found;
  };
  const readName = (dn: string): string | undefined => {
    budget.look(1);
    budget.compare(1, dn.length);
    return readDn(dn, schema);
  };
  const named = (dn: string): Entry | undefined => {
    const normal = readName(dn);
    const entry = normal === undefined ? undefined : namesakes(normal).named(dn);
    return entry && api(entry);
  };
  return {
    get: (dn) => (dn === undefined ? undefined : named(dn)),
    parent(entry) {
      const normal = readName(entry.dn);
      return normal === undefined || parentOf(normal) === undefined ? undefined : named(parentAsWritten(entry.dn));
    },
    children(entry) {
      const normal = readName(entry.dn);
      if (normal === undefined) return [];
      record(childrenRead(normal));
      const bearers = namesakes(normal);
      mustPrecede(mirror.beforeBelow(normal));
      const below = mirror.below(normal);
      budget.look(below.length);
      const children = childrenOf(bearers.named(entry.dn), bearers, below);
      return apis(children, children === below); // the mirror keeps no other answer
    },
    follow: (entry, attribute) => entry.all(attribute).flatMap((dn) => named(dn) ?? []),
    where(attribute, value) {
      const name = schema.nameOf(attribute);
      mustBeRead(name, attribute, context.unread);
      const comparison = typeof value === "string" ? "text" : "dn";
      budget.compare(1, typeof value === "string" ? value.length : 0);
      const normal = typeof value === "string" ? comparable(name, value, schema) : readDn(value.dn, schema);
      if (normal === undefined) return [];
      record(valueRead(comparison, name, normal));
      mustPrecede(mirror.beforeWhere(comparison, name, normal));
      return apis(mirror.where(comparison, name, normal));
    },
    reached(date) {
      budget.compare(1);
      const at = timeOf(date);
      if (at === undefined) return false;
      timed(now < at ? at : undefined);
      return now >= at;
    },
    during(from, until) {
      budget.compare(2);
      const start = timeOf(from) ?? Number.NEGATIVE_INFINITY;
      const end = timeOf(until) ?? Number.POSITIVE_INFINITY;
      if (start >= end) return false;
      const next = now < start ? start : end;
      timed(now < next && Number.isFinite(next) ? next : undefined);
      return now >= start && now < end;
    },
  };
}

/** The entries of one answer, and the reads of the evaluation that last asked for it. */
interface SharedAnswer {
  readonly entries: readonly Entry[];
  read(uuid: string, values: number): void;
}

const sharedAnswers = new WeakMap<readonly MirrorEntry[], SharedAnswer>();

/** An answer from this number of entries on takes long to make. */
const large = 10_000;

/**
 * Makes the API of an answer's entries once: thousands of evaluations may ask for the same one, one after the other.
 */
function sharedAnswer(answer: readonly MirrorEntry[], context: EntryContext): SharedAnswer {
  const known = sharedAnswers.get(answer);
  if (known) return known;
  atOnce(shareInSlices(answer, context));
  return sharedAnswer(answer, context);
}

function* shareInSlices(answer: readonly MirrorEntry[], context: EntryContext): SlicedWork<void> {
  const entries: Entry[] = [];
  const shared: SharedAnswer = { read() {}, entries };
  for (const entry of answer) {
    // Frozen: an evaluation must not leave a change for the next one.
    entries.push(Object.freeze(entryApi(entry, context, (values) => shared.read(entry.uuid, values))));
    if (entries.length % large === 0) yield { what: "sharing entries", done: entries.length, of: answer.length };
  }
  sharedAnswers.set(answer, shared);
}

function timeOf(date: Date | undefined): number | undefined {
  if (date === undefined) return undefined;
  const at = Number(date);
  if (Number.isNaN(at)) throw new Refusal("an invalid date was compared with the clock");
  return at;
}
