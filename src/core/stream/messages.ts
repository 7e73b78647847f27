import { z } from "zod";

/** The messages about tables and the order in which they stand. */

/** The version of the protocol that these messages speak. */
export const protocolVersion = 1;

/** The size in bytes above which a message of rows is split. */
export const messageLimit = 512 * 1024;

/** The longest text of a person or a host in a message, in characters: it is logged, stored and reported. */
export const textLimit = 4096;

/** The latest time that a Date can represent (ECMA-262, 21.4.1.1). */
export const lastMoment = 8.64e15;

/** The most rows in a part. */
export const partLimit = 500;

/** The state of a directory: one change sequence number (CSN) per server, as contextCSN has it. */
export type DirectoryState = readonly string[];

/**
 * The highest epoch of any message. Near 2^53 neighbouring epochs are the same number. A host that had followed such an
 * epoch could follow no other.
 */
export const highestEpoch = 2 ** 52;

const asOf = z.object({
  /** The directory state that the message describes. */
  state: z.array(z.string()).readonly(),
  /** The transcriber's clock, milliseconds since 1970. */
  clock: z.number().min(0).max(lastMoment),
});
/** The same from a host: one change of each of OpenLDAP's 4,096 servers at most, as any write looks at all of them. */
export const reportedAsOf = asOf.extend({ state: z.array(z.string().max(200)).max(4_096).readonly() });
export type AsOf = { readonly state: DirectoryState; readonly clock: number };

const cellChange = z.tuple([z.string(), z.string().nullable()]);
const head = {
  trigger: z.literal(protocolVersion),
  service: z.string(),
  /** Used once; above every earlier epoch. */
  epoch: z.number().int().max(highestEpoch),
  /** The number of changes of rows in this epoch and service. */
  seq: z.number().int().min(0),
  asOf,
  /** True if the directory was restored from a backup: its state is older on purpose. */
  rolledBack: z.literal(true).optional(),
};

const rowsMessage = z.object({
  ...head,
  kind: z.literal("rows"),
  rows: z.array(cellChange),
  /** The number of the piece, for a change above the limit: 0, 1, 2…; all but the last one have `more`. */
  piece: z.number().int().min(0),
  more: z.boolean(),
});
const digestMessage = z.object({
  ...head,
  kind: z.literal("digest"),
  root: z.string(),
  count: z.number().int(),
  buckets: z.array(z.string()).optional(),
});
const partMessage = z.object({
  ...head,
  kind: z.literal("part"),
  /** The range of key hashes [from, to) whose entire content is `rows`. */
  from: z.number().int(),
  to: z.number().int(),
  rows: z.array(z.tuple([z.string(), z.string()])),
  /** The ranges within it, in order, that match what the host has: they stay, and no row of `rows` is in them. */
  same: z.array(z.tuple([z.number().int(), z.number().int()])).optional(),
});
/**
 * A message to hosts of a later wave. It has the place up to which the earlier waves have applied the stream, or the
 * failure of one of their hosts.
 */
const waveMessage = z.object({
  trigger: z.literal(protocolVersion),
  kind: z.literal("wave"),
  service: z.string(),
  epoch: z.number().int().max(highestEpoch),
  seq: z.number().int().min(0),
  /** The host that fails, with the reason. */
  failing: z.string().max(textLimit).optional(),
});

export const streamMessage = z.discriminatedUnion("kind", [rowsMessage, digestMessage, partMessage]);
export const serviceMessage = z.discriminatedUnion("kind", [rowsMessage, digestMessage, partMessage, waveMessage]);

export type RowsMessage = z.infer<typeof rowsMessage>;
export type DigestMessage = z.infer<typeof digestMessage>;
export type PartMessage = z.infer<typeof partMessage>;
export type StreamMessage = z.infer<typeof streamMessage>;
export type WaveMessage = z.infer<typeof waveMessage>;
export type ServiceMessage = z.infer<typeof serviceMessage>;

/** A place in the stream of one service. */
export interface Place {
  readonly epoch: number;
  readonly seq: number;
}

/** A place, with the directory state and the time that it describes. */
export interface Mark extends Place {
  readonly asOf: AsOf;
}

export const markOf = ({ epoch, seq, asOf }: Mark): Mark => ({ epoch, seq, asOf });

/** Negative if `a` comes before `b` in the stream, 0 at the same place. */
export const comparePlaces = (a: Place, b: Place): number => a.epoch - b.epoch || a.seq - b.seq;

/**
 * True if state `a` is strictly older than `b`: behind for some server and ahead for none. CSNs of one server compare
 * as text (the server's id is the third field: `20261122102000.000000Z#000000#001#000000`).
 */
export function olderState(a: DirectoryState, b: DirectoryState): boolean {
  if (a.length === b.length && a.every((csn, index) => csn === b[index])) return false;
  let behind = b.some((csn) => !csnOf(a, serverOf(csn)));
  for (const csn of a) {
    const other = csnOf(b, serverOf(csn)) ?? "";
    if (csn > other) return false;
    if (csn < other) behind = true;
  }
  return behind;
}

/** True if a state includes all of these changes: it is not behind the server of any of them. */
export const covers = (state: DirectoryState, csns: readonly string[]): boolean =>
  csns.every((csn) => (csnOf(state, serverOf(csn)) ?? "") >= csn);

/** The id of the server that made a CSN; "" if it has none. */
export const serverOf = (csn: string): string => csn.split("#", 3)[2] ?? "";
const csnOf = (state: DirectoryState, server: string): string | undefined =>
  state.find((csn) => serverOf(csn) === server);

/** The most parts of a range for which a host sends sums. */
export const havePartsLimit = 1024;

/** A question from a host to the transcriber about one table. */
export const askMessage = z.object({
  trigger: z.literal(protocolVersion),
  kind: z.literal("ask"),
  host: z.string(),
  service: z.string(),
  want: z.union([
    z.literal("digest"),
    z.literal("buckets"),
    z.object({
      from: z.number().int(),
      to: z.number().int(),
      /** The host's content of the range, as the sums of equal parts of it. */
      have: z.array(z.string().length(32)).max(havePartsLimit).readonly().optional(),
    }),
  ]),
});

/** A host's notice that it refused a message, because it was of an older epoch or of an older directory state. */
export const refusalMessage = z.object({
  trigger: z.literal(protocolVersion),
  kind: z.literal("refusal"),
  host: z.string(),
  service: z.string(),
  /** The epoch and the directory state of the host. */
  epoch: z.number().int().min(0),
  asOf: reportedAsOf,
  /** The epoch of the message that was refused. */
  refused: z.number().int(),
  because: z.enum(["epoch", "asOf"]),
});
export type AskMessage = z.infer<typeof askMessage>;
export type RefusalMessage = z.infer<typeof refusalMessage>;
