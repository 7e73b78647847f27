import { z } from "zod";
import { lastMoment, protocolVersion } from "./messages.ts";
import { heldBy, retainedBy } from "./reasons.ts";

/** The report of a host: its whole state, every time. Another machine wrote it, so numbers are checked and texts and lists are cut. */

/** A number of things. */
const count = z.number().int().min(0);
/** Milliseconds since 1970, of a moment that a date can say. */
const moment = z.number().min(0).max(lastMoment);
const text = (longest: number) => z.string().transform((said) => said.slice(0, longest));
/** A reason: a checker's message may be long. */
const why = text(2_000);
/** A digest that a person is shown as a part of a command to type. */
const digest = z.string().regex(/^[\w-]{1,64}$/);
/** A list of which the first hundred items are kept. */
const listed = <T extends z.ZodType>(one: T) => z.array(one).transform((all) => all.slice(0, 100));

const mark = z.object({
  epoch: count,
  seq: count,
  asOf: z.object({ state: z.array(z.string().max(200)).max(4_096).readonly(), clock: moment }),
});

/** The comparison of a daemon with the rows that are applied. */
export const daemonCompared = z.object({
  /** `unknown` of a daemon that cannot say what it has, `failed` of one that did not. */
  state: z.enum(["comparing", "same", "differs", "unknown", "failed"]),
  /** The reason why it is unknown, or failed. */
  why: why.optional(),
  /**
   * The numbers of an observed daemon: rows that it lacks, that it has otherwise, that are ours and wanted no more, and
   * that are foreign.
   */
  missing: count.optional(),
  differs: count.optional(),
  extra: count.optional(),
  foreign: count.optional(),
  /** Rows that wait for a run or a person, and files and the like that a full run would change. */
  waiting: count.optional(),
  files: count.optional(),
});

export const serviceReport = z.object({
  /** Hash of the service's file, compared between the two ends. */
  code: text(200),
  form: z.enum(["table", "plain"]),
  /** The rows that are applied, by the last run that succeeded. */
  rows: count,
  /** The newest place in the stream that is stored. */
  stored: mark.optional(),
  /** The place whose rows the last successful run was given. */
  applied: mark.optional(),
  /** The newest place at which the table was compared with the transcriber's and found equal. */
  equal: mark.optional(),
  /** The newest `verify` that was answered: when it was asked, whether the table differed then, and how the daemon compared afterwards. */
  verified: z.object({ asked: moment, differed: z.boolean(), daemon: daemonCompared.optional() }).optional(),
  /** Something from before `stored` may be missing: the table is being compared. */
  doubt: z.boolean(),
  /** True if a probe saw the daemon serve the applied rows, false if it or the run failed; undefined without a probe. */
  serving: z.boolean().optional(),
  /** Keys, or messages of the plain form, that are stored and pending. */
  pending: count,
  /** The reason why they are pending: the error of the last run, or the event that is waited for. */
  why: why.optional(),
  /** The last run failed. */
  failing: z.boolean(),
  /** The reason why the service is held, if it is. */
  held: why.optional(),
  /** The cause of its hold; undefined of a host whose version does not say it, or says one that this version does not know. */
  heldBy: z.enum(heldBy).optional().catch(undefined),
  /** The digest of foreign files or records to replace, or of files to remove, for `trigger approve`. */
  conflict: digest.optional(),
  /** The digest of the removals that wait for `trigger approve`, and how many they are. */
  removals: z.object({ digest, rows: count }).optional(),
  /**
   * Keys whose desired row is not taken, with the reason, and whether a last good row is retained. The first hundred.
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
  /** The number of those that are held: a foreign record conflicts with them. */
  heldCount: count.optional(),
  /** Messages that wait for a person. The first hundred. */
  parked: listed(z.object({ id: count, why, since: moment })),
  parkedCount: count,
  /** Messages about rows that were refused, because no trusted key has signed them: how many, and why and when the last one. */
  untrusted: z.object({ count, why, at: moment }).optional(),
  /** Files that are in place and whose reload or probe has not succeeded yet. */
  reloads: listed(text(4_096)),
  /** The time of the last run that succeeded, milliseconds since 1970. */
  ranAt: moment.optional(),
});

/** The interval between two reports of an active transcriber, in milliseconds. */
export const activeInterval = 10_000;

const transcriberReport = z.object({
  active: z.boolean(),
  /** The epoch that it speaks in. */
  epoch: count.optional(),
  /** True if it has read the directory whole. */
  complete: z.boolean(),
  /** The reason why the directory cannot be read now. */
  trouble: why.optional(),
  /** The newest `verify` for which the directory was read again: when it was asked, and how many entries the mirror had otherwise. */
  verified: z.object({ asked: moment, differed: count }).optional(),
});

export const reportMessage = z.object({
  trigger: z.literal(protocolVersion),
  kind: z.literal("report"),
  host: z.string(),
  /** The host's clock, milliseconds since 1970. */
  at: moment,
  services: z.record(z.string(), serviceReport),
  /** The report of the transcriber, from a host that transcribes. */
  transcriber: transcriberReport.optional(),
});
export type DaemonCompared = z.infer<typeof daemonCompared>;
export type ServiceReport = z.infer<typeof serviceReport>;
export type TranscriberReport = z.infer<typeof transcriberReport>;
export type ReportMessage = z.infer<typeof reportMessage>;
