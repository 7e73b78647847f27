import type { StreamMessage } from "../core/stream.ts";
import type { Clock } from "../ports/clock.ts";

/** A host may ask for so many whole tables at once, and for one more in each such time, in milliseconds. */
const atOnce = 3;
const each = 10 * 60_000;
/** What a message costs beside its rows, and what a table counts beside its own. */
const [ofPart, ofBuckets, ofTable] = [10, 100, 10_000];
/** So many bytes cost as much as a row. */
const bytesOfRow = 4_000;

/** Says whether who hears a key may be told what it asks for, about a table of so many rows; and counts it then. */
export type Allowance = (key: string, message: StreamMessage, rows: number) => boolean;

/**
 * Bounds what hosts are told because they asked. A host that leaves one message of its queue unacknowledged keeps the server from deleting any that came later,
 * so that one which asked on and on would fill its disk. No repair needs a table three times.
 */
export function allowances({ monotonic }: Pick<Clock, "monotonic">): Allowance {
  /** What each has used of its allowance, as of a moment. By keys of the config. */
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

/** What a message costs, in rows. A digest costs nothing: it is small, all are told it each minute, and others may ask for it in a host's name. */
function costOf(message: StreamMessage): number {
  if (message.kind === "digest") return message.buckets ? ofBuckets : 0;
  const bytes = message.rows.reduce((sum, [key, cell]) => sum + key.length + (cell?.length ?? 0), 0);
  return message.rows.length + ofPart + bytes / bytesOfRow;
}
