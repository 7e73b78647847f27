import { bucketRange, hashEnd } from "./digest.ts";
import type { CellChange } from "./row.ts";
import {
  compareMarks,
  type DigestMessage,
  type Mark,
  markOf,
  olderState,
  type PartMessage,
  type RowsMessage,
  type StreamMessage,
} from "./stream.ts";

/** The host's end of one service's stream: what to do with a message, decided from what the host holds, without touching anything. */

/** What a host holds of a stream. All but `repair` is stored, in the transaction that stores the rows. */
export interface Followed {
  /** The newest place in the stream that the host has seen. */
  readonly mark?: Mark;
  /** The newest place at which its table was compared and found equal. */
  readonly equal?: Mark;
  /** The pieces so far of a change that travels in several. */
  readonly pieces?: { readonly epoch: number; readonly seq: number; readonly count: number };
  /** The ranges of key hashes that differ, to be asked for one at a time. */
  readonly repair?: readonly Range[];
}

export type Range = readonly [from: number, to: number];

/** What to write to the table, in one transaction with what is then followed. */
export type Write =
  /** Change these keys, after those of the staged pieces where there are any. */
  | { readonly kind: "rows"; readonly rows: readonly CellChange[]; readonly staged: boolean }
  /** Keep a piece until its last one comes. */
  | { readonly kind: "stage"; readonly rows: readonly CellChange[]; readonly first: boolean }
  /** Make a range hold just these rows. */
  | { readonly kind: "part"; readonly part: PartMessage };

export type Want = "digest" | "buckets" | { readonly from: number; readonly to: number };

export interface Followup {
  readonly followed: Followed;
  readonly write?: Write;
  /** What to ask the transcriber for, after the store. */
  readonly ask?: Want;
  /** The message was not taken, and the transcriber is to be told. */
  readonly refused?: "epoch" | "asOf";
  /** The message was dropped in silence: it says nothing new. */
  readonly dropped?: "duplicate" | "late";
}

/** What the host's table looks like to a comparison. */
export interface Compared {
  readonly root: string;
  buckets(): string[];
}

/** The safeguards of the stream, each of which a simulation can take away to see what it prevents. */
export interface Safeguards {
  /** An older epoch is refused. */
  readonly epoch: boolean;
  /** An older directory state is refused. */
  readonly asOf: boolean;
  /** Rows up to the mark are duplicates. */
  readonly duplicate: boolean;
  /** Digests and parts from before the mark are dropped. */
  readonly late: boolean;
}
const allSafeguards: Safeguards = { epoch: true, asOf: true, duplicate: true, late: true };

export function follow(
  held: Followed,
  message: StreamMessage,
  table: Compared,
  safeguards: Safeguards = allSafeguards,
): Followup {
  const { mark } = held;
  if (mark && safeguards.epoch && message.epoch < mark.epoch) return { followed: held, refused: "epoch" };
  const newEpoch = !mark || message.epoch > mark.epoch;
  const meantOlder = newEpoch && message.rolledBack === true;
  if (mark && safeguards.asOf && !meantOlder && olderState(message.asOf.state, mark.asOf.state)) {
    return { followed: held, refused: "asOf" };
  }
  if (message.kind === "rows") return followRows(held, message, safeguards);
  if (mark && safeguards.late && compareMarks(message, mark) < 0) return { followed: held, dropped: "late" };
  return message.kind === "digest" ? followDigest(held, message, table) : followPart(held, message);
}

function followRows(held: Followed, message: RowsMessage, safeguards: Safeguards): Followup {
  const { mark, pieces } = held;
  if (mark && safeguards.duplicate && compareMarks(message, mark) <= 0) return { followed: held, dropped: "duplicate" };
  const sameChange = pieces?.epoch === message.epoch && pieces.seq === message.seq;
  const had = sameChange ? pieces.count : 0;
  if (message.piece < had) return { followed: held, dropped: "duplicate" };
  const whole = message.piece === had;
  if (message.more && whole) {
    const staged = { epoch: message.epoch, seq: message.seq, count: had + 1 };
    return {
      followed: { ...held, pieces: staged },
      write: { kind: "stage", rows: message.rows, first: had === 0 },
    };
  }
  // A change that lost a piece is a gap: its rows come with the parts that the next comparison asks for.
  if (!whole) return { followed: { ...moved(held, message), pieces: undefined }, ask: "digest" };
  const inSequence = mark?.epoch === message.epoch && message.seq === mark.seq + 1;
  const followup: Followup = {
    followed: { ...moved(held, message), pieces: undefined },
    write: { kind: "rows", rows: message.rows, staged: had > 0 },
  };
  return inSequence ? followup : { ...followup, ask: "digest" };
}

function followDigest(held: Followed, message: DigestMessage, table: Compared): Followup {
  const followed = moved(held, message);
  if (message.root === table.root) return { followed: { ...followed, equal: markOf(message), repair: undefined } };
  if (!message.buckets) return { followed, ask: "buckets" };
  const mine = table.buckets();
  const theirs = message.buckets;
  const repair = merged(mine.flatMap((sum, bucket) => (sum === theirs[bucket] ? [] : [bucketRange(bucket)])));
  return { followed: { ...followed, repair }, ...askNext(repair) };
}

function followPart(held: Followed, message: PartMessage): Followup {
  const repair = (held.repair ?? []).flatMap(([from, to]): Range[] => {
    const before: Range = [from, Math.min(to, message.from)];
    const after: Range = [Math.max(from, message.to), to];
    return [before, after].filter(([start, end]) => start < end);
  });
  return {
    followed: { ...moved(held, message), repair },
    write: { kind: "part", part: message },
    ...askNext(repair),
  };
}

/** The next range to ask for; when none is left, a digest to see whether the tables are now equal. */
const askNext = (repair: readonly Range[]): { ask: Want } => {
  const next = repair[0];
  return { ask: next ? { from: next[0], to: next[1] } : "digest" };
};

/** Held, with its mark at a message; pieces of a change that the mark has passed are of no use any more. */
function moved(held: Followed, message: StreamMessage): Followed {
  if (held.mark && compareMarks(message, held.mark) < 0) return held;
  return { ...held, mark: markOf(message) };
}

/** Neighbouring ranges as one, so that an empty table is asked for from end to end. */
function merged(ranges: readonly Range[]): Range[] {
  const all: [number, number][] = [];
  for (const [from, to] of ranges) {
    const last = all.at(-1);
    if (last && last[1] === from) last[1] = to;
    else all.push([from, Math.min(to, hashEnd)]);
  }
  return all;
}
