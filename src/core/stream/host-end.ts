import type { CellChange } from "./cells.ts";
import { bucketRange, hashEnd } from "./digest.ts";
import {
  comparePlaces,
  type DigestMessage,
  type Mark,
  markOf,
  olderState,
  type PartMessage,
  type RowsMessage,
  type StreamMessage,
} from "./messages.ts";
import type { Range } from "./ranges.ts";

/**
 * The host's end of one service's stream. It decides about each message from the host's state alone, and changes
 * nothing itself.
 */

/** The state of a stream at a host. All but `repair` is stored, in the transaction that stores the rows. */
export interface Followed {
  /** The newest place in the stream that the host has seen. */
  readonly mark?: Mark;
  /**
   * True if rows from before the mark may be missing: a message was lost, or the epoch is new. A comparison that finds
   * the tables equal ends it.
   */
  readonly doubt?: true;
  /** The newest place at which the tables were compared and found equal. */
  readonly equal?: Mark;
  /** The pieces received so far of a change that travels in several. */
  readonly pieces?: { readonly epoch: number; readonly seq: number; readonly count: number };
  /** The ranges of key hashes that differ, to be requested one at a time. */
  readonly repair?: readonly Range[];
}

/** A write to the table, in one transaction with the new state. */
export type Write =
  /** Changes these keys, after those of the staged pieces, if there are any. */
  | { readonly kind: "rows"; readonly rows: readonly CellChange[]; readonly staged: boolean }
  /** Keeps a piece until the last one is received. */
  | { readonly kind: "stage"; readonly rows: readonly CellChange[]; readonly first: boolean }
  /** Replaces the content of a range by these rows, except in its `same` ranges. */
  | { readonly kind: "part"; readonly part: PartMessage };

/** A question of a host about its table: for a digest, its buckets, or a range. */
export type TableQuestion =
  | "digest"
  | "buckets"
  | { readonly from: number; readonly to: number; readonly have?: readonly string[] | undefined };

export interface Followup {
  readonly followed: Followed;
  readonly write?: Write;
  /** The question to the transcriber, asked after the write is stored. */
  readonly ask?: TableQuestion;
  /** The reason to refuse the message and tell the transcriber. */
  readonly refused?: "epoch" | "asOf";
  /** The reason to drop the message without a word: it has nothing new. */
  readonly dropped?: "duplicate" | "late";
}

/** The digest of a host's table, for a comparison. */
export interface TableDigest {
  readonly root: string;
  buckets(): string[];
}

/** Decides what to do with a message: an older epoch or directory state is refused, a repeated message is dropped. */
export function follow(held: Followed, message: StreamMessage, table: TableDigest): Followup {
  const { mark } = held;
  if (mark && message.epoch < mark.epoch) return { followed: held, refused: "epoch" };
  // A repeated message is dropped without a word, so this comes before the comparison of directory states.
  const ahead = mark?.epoch === message.epoch ? message.seq - mark.seq : 1;
  if (message.kind === "rows") {
    if (ahead <= 0) return { followed: held, dropped: "duplicate" };
  } else if (ahead < 0) return { followed: held, dropped: "late" };

  const isRollback = message.rolledBack === true && message.epoch !== mark?.epoch;
  if (mark && !isRollback && olderState(message.asOf.state, mark.asOf.state)) {
    return { followed: held, refused: "asOf" };
  }
  if (message.kind === "rows") return followRows(held, message);
  return message.kind === "digest" ? followDigest(held, message, table) : followPart(held, message);
}

function followRows(held: Followed, message: RowsMessage): Followup {
  const { mark, pieces } = held;
  const sameChange = pieces?.epoch === message.epoch && pieces.seq === message.seq;
  const had = sameChange ? pieces.count : 0;
  if (message.piece < had) return { followed: held, dropped: "duplicate" };
  // A change that lost a piece is a gap: its rows come with the parts that the next comparison requests.
  if (message.piece > had) return { followed: doubting(held, message), ask: "digest" };
  if (message.more) {
    const staged = { epoch: message.epoch, seq: message.seq, count: had + 1 };
    return {
      followed: { ...held, pieces: staged },
      write: { kind: "stage", rows: message.rows, first: had === 0 },
    };
  }
  const write = { kind: "rows", rows: message.rows, staged: had > 0 } as const;
  const inSequence = mark?.epoch === message.epoch && message.seq === mark.seq + 1;
  if (inSequence) return { followed: markedAt(held, message), write };
  return { followed: doubting(held, message), write, ask: "digest" };
}

function followDigest(held: Followed, message: DigestMessage, table: TableDigest): Followup {
  if (message.root === table.root) {
    const { doubt: _, repair: __, ...sure } = markedAt(held, message);
    return { followed: { ...sure, equal: markOf(message) } };
  }
  const followed = doubting(held, message);
  if (!message.buckets) return { followed, ask: "buckets" };
  const repair = differing(table.buckets(), message.buckets);
  // Roots that differ over equal buckets cannot be repaired: asking again at once would never end.
  return { followed: { ...followed, repair }, ...(repair.length > 0 ? askNext(repair) : {}) };
}

function followPart(held: Followed, message: PartMessage): Followup {
  const asked = held.repair ?? [];
  const repair = asked.flatMap(([from, to]): Range[] => {
    const before: Range = [from, Math.min(to, message.from)];
    const after: Range = [Math.max(from, message.to), to];
    return [before, after].filter(([start, end]) => start < end);
  });
  // A part that repairs nothing answers a repeated question. If it asked for the next range, too, every digest during a
  // long repair would double the questions.
  const repaired = extent(repair) < extent(asked);
  const here = held.mark !== undefined && comparePlaces(message, held.mark) === 0;
  return {
    followed: { ...(here ? markedAt(held, message) : doubting(held, message)), repair },
    write: { kind: "part", part: message },
    ...(repaired ? askNext(repair) : {}),
  };
}

/** The question for the next range; after the last one, for a digest, to see whether the tables are now equal. */
const askNext = (repair: readonly Range[]): { ask: TableQuestion } => {
  const next = repair[0];
  return { ask: next ? { from: next[0], to: next[1] } : "digest" };
};

/**
 * The state with its mark at a message. The pieces of an incomplete change are dropped: they are useless.
 */
const markedAt = ({ pieces: _, ...held }: Followed, message: StreamMessage): Followed => ({
  ...held,
  mark: markOf(message),
});

const doubting = (held: Followed, message: StreamMessage): Followed => ({ ...markedAt(held, message), doubt: true });

/**
 * The ranges of the buckets that differ. Neighbours are merged, also across buckets that are empty on both sides, which
 * cost nothing to request. A small or empty table is then requested from end to end instead of bucket by bucket.
 */
function differing(mine: readonly string[], theirs: readonly string[]): Range[] {
  if (mine.length !== theirs.length) return [[0, hashEnd]];
  const all: [number, number][] = [];
  let apart = true;
  for (const [bucket, sum] of mine.entries()) {
    if (sum === theirs[bucket]) {
      apart ||= sum !== emptyBucket;
      continue;
    }
    const [from, to] = bucketRange(bucket, mine.length);
    const last = all.at(-1);
    if (last && !apart) last[1] = to;
    else all.push([from, to]);
    apart = false;
  }
  return all;
}

/** The share of the key hashes that still differ, from 0 to 1. */
export const leftToRepair = ({ repair = [] }: Followed): number => extent(repair) / hashEnd;

const emptyBucket = "0".repeat(64);

const extent = (ranges: readonly Range[]): number => ranges.reduce((sum, [from, to]) => sum + to - from, 0);
