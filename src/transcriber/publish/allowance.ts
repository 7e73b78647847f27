import type { StreamMessage } from "../../core/stream/messages.ts";
import type { Clock } from "../../ports/clock.ts";

/**
 * The number of whole tables that a host may request at once, and the milliseconds after which it may request one more.
 */
const atOnce = 3;
const each = 10 * 60_000;
/** Costs in rows: of a part and of buckets apart from their rows, and the allowance of a table apart from its rows. */
const [ofPart, ofBuckets, ofTable] = [10, 100, 10_000];
/** The bytes that cost as much as a row. */
const bytesOfRow = 4_000;

/** Returns true and counts the message if it may be sent to the host of a key. `rows` is the size of the table. */
export type Allowance = (key: string, message: StreamMessage, rows: number) => boolean;

/**
 * Limits the answers to hosts that ask. RabbitMQ deletes no message behind one that a host leaves unacknowledged.
 * Without a limit, a host that asked again and again would fill the server's disk. No repair needs a table three times.
 */
export function allowances({ monotonic }: Pick<Clock, "monotonic">): Allowance {
  /** The used part of each allowance at a moment, by keys of the config. */
  const used = new Map<string, { readonly cost: number; readonly at: number }>();
  return (key, message, rows) => {
    const cost = costOf(message);
    if (cost === 0) return true;
    const whole = rows + ofTable;
    const now = monotonic();
    const last = used.get(key) ?? { cost: 0, at: now };
    const left = Math.max(0, last.cost - ((now - last.at) / each) * whole);
    const allowed = left < atOnce * whole;
    used.set(key, { cost: left + (allowed ? cost : 0), at: now });
    return allowed;
  };
}

/**
 * The cost of a message, in rows. A digest is free: it is small, and all hosts get one each minute. Any user may ask
 * for one in a host's name.
 */
function costOf(message: StreamMessage): number {
  if (message.kind === "digest") return message.buckets ? ofBuckets : 0;
  const bytes = message.rows.reduce((sum, [key, cell]) => sum + key.length + (cell?.length ?? 0), 0);
  return message.rows.length + ofPart + bytes / bytesOfRow;
}
