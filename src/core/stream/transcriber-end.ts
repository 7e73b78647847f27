import type { CellTable } from "./cell-table.ts";
import type { CellChange } from "./cells.ts";
import {
  type AsOf,
  type DigestMessage,
  messageLimit,
  type PartMessage,
  partLimit,
  protocolVersion,
  type RowsMessage,
} from "./messages.ts";

/** The limits of one message: the rows of a part, and the bytes of any message. */
export interface Limits {
  readonly rows: number;
  readonly bytes: number;
}

/** The transcriber's end of one service's stream: it stamps each message about a table with its epoch and seq. */
export class StreamWriter {
  readonly #service: string;
  readonly #table: CellTable;
  readonly #epoch: number;
  readonly #rolledBack: boolean;
  readonly #limits: Limits;
  #seq = 0;

  constructor(
    service: string,
    table: CellTable,
    {
      epoch,
      rolledBack = false,
      limits = { rows: partLimit, bytes: messageLimit },
    }: { epoch: number; rolledBack?: boolean; limits?: Limits },
  ) {
    this.#service = service;
    this.#table = table;
    this.#epoch = epoch;
    this.#rolledBack = rolledBack;
    this.#limits = limits;
  }

  get seq(): number {
    return this.#seq;
  }

  /** The messages of one change that the table has taken: several only if it is too large for one. */
  rows(changes: readonly CellChange[], asOf: AsOf): RowsMessage[] {
    this.#seq += 1;
    const pieces = split(changes, this.#limits.bytes);
    return pieces.map((rows, piece) => ({
      ...this.#head(asOf),
      kind: "rows" as const,
      rows,
      piece,
      more: piece < pieces.length - 1,
    }));
  }

  /** The present digest of the table; with its buckets for a host that differs. */
  digest(asOf: AsOf, { buckets = false } = {}): DigestMessage {
    const { digest } = this.#table;
    const message = { ...this.#head(asOf), kind: "digest" as const, root: digest.root, count: digest.count };
    return buckets ? { ...message, buckets: digest.buckets() } : message;
  }

  /**
   * The content of the table in a range of key hashes, without the parts whose sums the host has already. It may end
   * early, at the limits of one message.
   */
  part(from: number, to: number, asOf: AsOf, have?: readonly string[]): PartMessage {
    return { ...this.#head(asOf), kind: "part", from, ...this.#table.part(from, to, this.#limits, have) };
  }

  #head(asOf: AsOf) {
    const head = {
      trigger: protocolVersion as typeof protocolVersion,
      service: this.#service,
      epoch: this.#epoch,
      seq: this.#seq,
      asOf: { state: [...asOf.state], clock: asOf.clock },
    };
    return this.#rolledBack ? { ...head, rolledBack: true as const } : head;
  }
}

/**
 * Returns an epoch that was never used: above the clock (milliseconds) and every epoch heard. A random tail keeps two
 * that start in one millisecond apart.
 */
export function nextEpoch(now: number, heard: number, random: () => number): number {
  const tail = Math.floor(random() * 1000);
  return Math.max(Math.floor(now), Math.floor(heard / 1000) + 1) * 1000 + tail;
}

function split(changes: readonly CellChange[], limit: number): [key: string, cell: string | null][][] {
  const pieces: [string, string | null][][] = [[]];
  let bytes = 0;
  for (const [key, cell] of changes) {
    const size = key.length + (cell?.length ?? 0);
    if (bytes > 0 && bytes + size > limit) {
      pieces.push([]);
      bytes = 0;
    }
    pieces.at(-1)?.push([key, cell]);
    bytes += size;
  }
  return pieces;
}
