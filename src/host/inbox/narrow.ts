import type { PartMessage } from "../../core/stream/messages.ts";
import { sums } from "../../core/stream/ranges.ts";
import type { Want } from "../../core/stream/reader.ts";
import type { StoredRows } from "../store/rows.ts";

/** Says with a question for a range what the host has in it, so that the bytes of a repair follow what differs, and not the size of the table. */

/** So many rows are compared by one question: some milliseconds of either side. */
const mostRows = 2000;
/** Fewer are sent as quickly as they are compared. */
const fewestRows = 64;
/** Rows that travel together with one that differs. */
const rowsToASum = 4;
/** Where everything differs, at most so many questions in a row go without. */
const mostPlain = 64;

export interface Narrowing {
  /** The question to put in the place of one that `follow` gives. */
  narrow(want: Want): Want;
  /** Takes what a part that answered it showed. */
  heard(part: PartMessage): void;
}

export function narrowing(service: string, rows: Pick<StoredRows, "inHashOrder">): Narrowing {
  /** Questions that go without sums, because the last one that had them found little that was the same; doubled each time. */
  let plain = 0;
  let next = 1;
  return {
    narrow(want) {
      if (typeof want === "string") return want;
      if (plain > 0) {
        plain -= 1;
        return want;
      }
      const { from } = want;
      const { to, cells } = rows.inHashOrder(from, want.to, mostRows);
      if (cells.length < fewestRows) return want;
      const parts = Math.floor(cells.length / rowsToASum);
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
