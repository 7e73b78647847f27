import { hashEnd } from "../../core/stream/digest.ts";
import type { TableQuestion } from "../../core/stream/host-end.ts";
import type { StreamMessage } from "../../core/stream/messages.ts";
import type { Clock } from "../../ports/clock.ts";

/**
 * The number of whole tables that a host may request at once, and the milliseconds after which it may request one more.
 */
const atOnce = 3;
const each = 10 * 60_000;
/** Costs in rows: of a part and of buckets apart from their rows, and the allowance of a table apart from its rows. */
const [ofPart, ofBuckets, ofTable] = [10, 100, 10_000];
/** The bytes that cost as much as a row, and the rows of the table that are compared for as much as one is sent. */
const [bytesOfRow, comparedOfRow] = [4_000, 10];
/** The digests that may be requested for a host at once, and the milliseconds after which one more may be. */
const [digestsAtOnce, digestEach] = [60, 2_000];

/** The limits on answers to hosts that ask, by the key of each host. */
export interface Allowance {
  /** True if a question may be answered. `rows` is the size of the table. */
  allows(key: string, want: TableQuestion, rows: number): boolean;
  /** Counts an answer. `rows` is the size of the table. */
  count(key: string, message: StreamMessage, rows: number): void;
}

/**
 * Limits the answers to hosts that ask. RabbitMQ deletes no message behind one that a host leaves unacknowledged.
 * Without a limit, a host that asked again and again would fill the server's disk. No repair needs a table three times.
 * A question beyond the limit costs nothing: no answer is made.
 */
export function allowances({ monotonic }: Pick<Clock, "monotonic">): Allowance {
  const answers = buckets(monotonic);
  /** Any user may request a digest in a host's name, and each one takes a place in the host's queue. */
  const digests = buckets(monotonic);
  return {
    allows(key, want, rows) {
      if (want === "digest") return digests.takes(key, { cost: 1, most: digestsAtOnce, each: digestEach });
      return answers.takes(key, { cost: 0, ...tablesOf(rows) });
    },
    count(key, message, rows) {
      answers.takes(key, { cost: costOf(message, rows), ...tablesOf(rows) });
    },
  };
}

/** The cost of some whole tables, and the time in which the cost of one row is given back. */
const tablesOf = (rows: number) => ({ most: atOnce * (rows + ofTable), each: each / (rows + ofTable) });

/** The used part of each allowance, by keys of the config. Each is given back at a steady pace. */
function buckets(monotonic: () => number) {
  const used = new Map<string, { readonly cost: number; readonly at: number }>();
  return {
    /** Takes a cost out of an allowance. False if it is used up: then nothing is taken. */
    takes(key: string, { cost, most, each }: { cost: number; most: number; each: number }): boolean {
      const now = monotonic();
      const last = used.get(key) ?? { cost: 0, at: now };
      const left = Math.max(0, last.cost - (now - last.at) / each);
      const isFree = left < most;
      used.set(key, { cost: left + (isFree ? cost : 0), at: now });
      return isFree;
    },
  };
}

/** The cost of a message, in rows. */
function costOf(message: StreamMessage, rows: number): number {
  if (message.kind === "digest") return message.buckets ? ofBuckets : 0;
  const bytes = message.rows.reduce((sum, [key, cell]) => sum + key.length + (cell?.length ?? 0), 0);
  const compared = message.kind === "part" ? (rows * (message.to - message.from)) / hashEnd / comparedOfRow : 0;
  return message.rows.length + ofPart + bytes / bytesOfRow + compared;
}
