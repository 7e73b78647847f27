import type { TableQuestion } from "../../core/stream/host-end.ts";
import type { PartMessage } from "../../core/stream/messages.ts";
import { sums } from "../../core/stream/ranges.ts";
import type { StoredRows } from "../store/rows.ts";

/**
 * Range reconciliation: a question for a range includes checksums of the host's rows there. So the bytes of a repair
 * grow with the difference, not with the table.
 */

/** The most rows that one question compares: that takes either side some milliseconds. */
const mostRows = 2000;
/** The fewest rows that are compared: fewer are sent just as fast. */
const fewestRows = 64;
/** The number of rows per checksum: all of them are sent if one differs. */
const rowsPerSum = 4;
/** The most questions in a row without checksums, if everything differs. */
const mostPlain = 64;

export interface Reconciliation {
  /** Returns the question to ask in place of one from `follow`. */
  withSums(want: TableQuestion): TableQuestion;
  /** Learns from the part that answered the question. */
  heard(part: PartMessage): void;
}

export function reconciliation(service: string, rows: Pick<StoredRows, "inHashOrder">): Reconciliation {
  /**
   * The number of next questions without checksums. It doubles each time that questions with them found little in
   * common.
   */
  let plain = 0;
  let next = 1;
  return {
    withSums(want) {
      if (typeof want === "string") return want;
      if (plain > 0) {
        plain -= 1;
        return want;
      }
      const { from } = want;
      const { to, cells } = rows.inHashOrder(from, want.to, mostRows);
      if (cells.length < fewestRows) return want;
      const parts = Math.floor(cells.length / rowsPerSum);
      return { from, to, have: sums(service, cells, [from, to], parts) };
    },
    heard({ from, to, same }) {
      if (!same) return;
      const spared = same.reduce((sum, [start, end]) => sum + end - start, 0);
      const worth = spared * 2 >= to - from;
      plain = worth ? 0 : next;
      next = worth ? 1 : Math.min(next * 2, mostPlain);
    },
  };
}
