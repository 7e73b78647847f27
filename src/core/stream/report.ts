import { z } from "zod";
import { lastMoment, protocolVersion, reportedAsOf } from "./messages.ts";
import { heldBy, retainedBy } from "./reasons.ts";

/**
 * The report of a host: always its entire state. It comes from another machine, so numbers are checked, and texts and
 * lists are cut.
 */

/** A number of things. */
const count = z.number().int().min(0);
/** Milliseconds since 1970, within the range of a Date. */
const moment = z.number().min(0).max(lastMoment);
const text = (longest: number) => z.string().transform((said) => said.slice(0, longest));
/** A reason: a checker's message may be long. */
const why = text(2_000);
/** A digest that a person reads and types in a command. */
const digest = z.string().regex(/^[\w-]{1,64}$/);
/** A list of which the first hundred items are kept. */
const listed = <T extends z.ZodType>(one: T) => z.array(one).transform((all) => all.slice(0, 100));

const mark = z.object({
  epoch: count,
  seq: count,
  asOf: reportedAsOf,
});

/** The comparison of a daemon with the rows that are applied. */
export const daemonCompared = z.object({
  /** `unknown` for a daemon that cannot report its records, `failed` for one that did not answer. */
  state: z.enum(["comparing", "same", "differs", "unknown", "failed"]),
  /** The reason for `unknown` or `failed`. */
  why: why.optional(),
  /**
   * The numbers of records in an observed daemon: missing ones, different ones, ours that no row wants, and foreign
   * ones.
   */
  missing: count.optional(),
  differs: count.optional(),
  extra: count.optional(),
  foreign: count.optional(),
  /** The number of rows that wait for a run or a person, and of files and the like that a full run would change. */
  waiting: count.optional(),
  files: count.optional(),
});

export const serviceReportSchema = z.object({
  /** Hash of the service's file, compared between the two ends. */
  code: text(200),
  form: z.enum(["table", "plain"]),
  /** The number of rows that are applied, by the last run that succeeded. */
  rows: count,
  /** The newest place in the stream that is stored. */
  stored: mark.optional(),
  /** The place in the stream of the rows of the last successful run. */
  applied: mark.optional(),
  /** The newest place at which the table was compared with the transcriber's and found equal. */
  equal: mark.optional(),
  /**
   * The newest answered `verify`: the time of the question, whether the table differed then, and how the daemon
   * compared afterwards.
   */
  verified: z.object({ asked: moment, differed: z.boolean(), daemon: daemonCompared.optional() }).optional(),
  /** True if rows from before `stored` may be missing: the table is being compared. */
  doubt: z.boolean(),
  /** True if a probe saw the daemon serve the applied rows, false if it or the run failed; undefined without a probe. */
  serving: z.boolean().optional(),
  /** The number of pending keys, or of pending messages of the plain form. */
  pending: count,
  /** The reason why they are pending: the error of the last run, or the event that the service waits for. */
  why: why.optional(),
  /** True if the last run failed. */
  failing: z.boolean(),
  /** The reason why the service is held, if it is. */
  held: why.optional(),
  /**
   * The cause of the hold. Undefined if the host's version does not report it, or reports a cause unknown to this
   * version.
   */
  heldBy: z.enum(heldBy).optional().catch(undefined),
  /** The digest, for `trigger approve`, of foreign files or records to replace, or of files to remove. */
  conflict: digest.optional(),
  /** The digest of the removals that wait for `trigger approve`, and their number. */
  removals: z.object({ digest, rows: count }).optional(),
  /**
   * The keys whose desired row is not applied, with the reason, and whether a last good row is retained. The first
   * hundred.
   */
  refused: listed(
    z.object({
      key: text(1_000),
      by: z.enum(retainedBy).optional().catch(undefined),
      why,
      since: moment,
      retained: z.boolean(),
    }),
  ),
  refusedCount: count,
  /** The number of those that are held in conflict with a foreign record. */
  heldCount: count.optional(),
  /** Messages that wait for a person. The first hundred. */
  parked: listed(z.object({ id: count, why, since: moment })),
  parkedCount: count,
  /**
   * The messages about rows that were rejected without a signature by a trusted key: their number, and the reason and
   * time of the last one.
   */
  untrusted: z.object({ count, why, at: moment }).optional(),
  /** The files in place whose reload or probe has not succeeded yet. */
  reloads: listed(text(4_096)),
  /** The time of the last run that succeeded, milliseconds since 1970. */
  ranAt: moment.optional(),
});

/** The interval between two reports of an active transcriber, in milliseconds. */
export const activeInterval = 10_000;

const transcriberReport = z.object({
  active: z.boolean(),
  /** The epoch in which the transcriber publishes. */
  epoch: count.optional(),
  /** True if the transcriber has read the entire directory. */
  complete: z.boolean(),
  /** The reason why the directory cannot be read now. */
  trouble: why.optional(),
  /**
   * The newest `verify` for which the directory was read again: the time of the question, and how many entries differed
   * from the mirror.
   */
  verified: z.object({ asked: moment, differed: count }).optional(),
});

export const reportMessage = z.object({
  trigger: z.literal(protocolVersion),
  kind: z.literal("report"),
  host: z.string(),
  /** The host's clock, milliseconds since 1970. */
  at: moment,
  services: z.record(z.string(), serviceReportSchema),
  /** The trouble of the host with the broker, such as a queue that it has no right to read. */
  trouble: why.optional(),
  /** The report of the transcriber, from a host that transcribes. */
  transcriber: transcriberReport.optional(),
});
export type DaemonCompared = z.infer<typeof daemonCompared>;
export type ServiceReport = z.infer<typeof serviceReportSchema>;
export type TranscriberReport = z.infer<typeof transcriberReport>;
export type ReportMessage = z.infer<typeof reportMessage>;
