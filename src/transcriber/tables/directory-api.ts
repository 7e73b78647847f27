import { parentOf, readDn } from "../../core/directory/dn.ts";
import type { Directory, Entry } from "../../core/directory/entry.ts";
import { comparable } from "../../core/directory/matching.ts";
import { Refusal } from "../../core/util/errors.ts";
import type { Mirror } from "../mirror/mirror.ts";
import type { MirrorEntry } from "../mirror/mirror-entry.ts";
import { childrenOf, type Namesakes, parentAsWritten } from "../mirror/namesakes.ts";
import { childrenRead, contentRead, nameRead, type Read, valueRead } from "../mirror/read-set.ts";
import { type EntryContext, entryApi, mustBeRead } from "./entry-api.ts";

/** The context of one evaluation: the mirror and the time that it reads, and the record of its reads. */
export interface EvaluationContext extends EntryContext {
  readonly mirror: Mirror;
  /** The time of this evaluation, milliseconds since 1970. */
  readonly now: number;
  record(read: Read): void;
  /** Records a read of the clock; `next` is the time at which its answer changes, if it does. */
  timed(next: number | undefined): void;
}

/**
 * The API of the directory and the clock for `select`. It records each read before it answers, also one without an
 * answer.
 */
export function directoryApi({ mirror, now, record, timed, ...context }: EvaluationContext): Directory {
  const api = (entry: MirrorEntry): Entry => entryApi(entry, context, () => record(contentRead(entry.uuid)));
  const apis = (answer: readonly MirrorEntry[]): Entry[] => {
    const shared = sharedAnswer(answer, context);
    shared.record = record;
    return shared.entries.slice(); // `select` may sort them
  };
  const { schema } = mirror;
  const namesakes = (normal: string): Namesakes => {
    record(nameRead(normal));
    return mirror.namesakes(normal);
  };
  const named = (dn: string): Entry | undefined => {
    const normal = readDn(dn, schema);
    const entry = normal === undefined ? undefined : namesakes(normal).named(dn);
    return entry && api(entry);
  };
  return {
    get: (dn) => (dn === undefined ? undefined : named(dn)),
    parent(entry) {
      const normal = readDn(entry.dn, schema);
      return normal === undefined || parentOf(normal) === undefined ? undefined : named(parentAsWritten(entry.dn));
    },
    children(entry) {
      const normal = readDn(entry.dn, schema);
      if (normal === undefined) return [];
      record(childrenRead(normal));
      const bearers = namesakes(normal);
      return apis(childrenOf(bearers.named(entry.dn), bearers, mirror.below(normal)));
    },
    follow: (entry, attribute) => entry.all(attribute).flatMap((dn) => named(dn) ?? []),
    where(attribute, value) {
      const name = schema.nameOf(attribute);
      mustBeRead(name, attribute, context.unread);
      const comparison = typeof value === "string" ? "text" : "dn";
      const normal = typeof value === "string" ? comparable(name, value, schema) : readDn(value.dn, schema);
      if (normal === undefined) return [];
      record(valueRead(comparison, name, normal));
      return apis(mirror.where(comparison, name, normal));
    },
    reached(date) {
      const at = timeOf(date);
      if (at === undefined) return false;
      timed(now < at ? at : undefined);
      return now >= at;
    },
    during(from, until) {
      const start = timeOf(from) ?? Number.NEGATIVE_INFINITY;
      const end = timeOf(until) ?? Number.POSITIVE_INFINITY;
      if (start >= end) return false;
      const next = now < start ? start : end;
      timed(now < next && Number.isFinite(next) ? next : undefined);
      return now >= start && now < end;
    },
  };
}

/** The entries of one answer, and the record of the evaluation that last asked for it. */
interface SharedAnswer {
  readonly entries: readonly Entry[];
  record: EvaluationContext["record"];
}

const sharedAnswers = new WeakMap<readonly MirrorEntry[], SharedAnswer>();

/**
 * Makes the API of an answer's entries once: thousands of evaluations may ask for the same one, one after the other.
 */
function sharedAnswer(answer: readonly MirrorEntry[], context: EntryContext): SharedAnswer {
  const known = sharedAnswers.get(answer);
  if (known) return known;
  const shared: SharedAnswer = {
    record() {},
    // Frozen: an evaluation must not leave a change for the next one.
    entries: answer.map((entry) =>
      Object.freeze(entryApi(entry, context, () => shared.record(contentRead(entry.uuid)))),
    ),
  };
  sharedAnswers.set(answer, shared);
  return shared;
}

function timeOf(date: Date | undefined): number | undefined {
  if (date === undefined) return undefined;
  const at = Number(date);
  if (Number.isNaN(at)) throw new Refusal("an invalid date was compared with the clock");
  return at;
}
