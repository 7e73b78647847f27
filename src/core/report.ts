import { z } from "zod";
import { protocolVersion } from "./stream.ts";

/** What a host says of itself: its whole state, every time. */

const mark = z.object({
  epoch: z.number(),
  seq: z.number(),
  asOf: z.object({ state: z.array(z.string()).readonly(), clock: z.number() }),
});

/** How a daemon compared with the rows that are loaded. */
export const daemonCompared = z.object({
  /** `unknown` of a daemon that cannot say what it has, `failed` of one that did not. */
  state: z.enum(["comparing", "same", "differs", "unknown", "failed"]),
  /** Why it is unknown, or failed. */
  why: z.string().optional(),
  /** Of one that was observed: rows that it does not have, that it has otherwise, that are ours and wanted no more, and that are of others. */
  missing: z.number().int().optional(),
  differs: z.number().int().optional(),
  extra: z.number().int().optional(),
  foreign: z.number().int().optional(),
  /** Rows that wait for a run or a person, and files and the like that a full run would change. */
  waits: z.number().int().optional(),
  files: z.number().int().optional(),
});

export const serviceReport = z.object({
  /** Hash of the service's file, compared between the two ends. */
  code: z.string(),
  form: z.enum(["table", "plain"]),
  /** Rows that are in force, by the last run that succeeded. */
  rows: z.number().int(),
  /** The newest place in the stream that is stored. */
  stored: mark.optional(),
  /** The place whose rows the last successful run was given. */
  loaded: mark.optional(),
  /** The newest place at which the table was compared with the transcriber's and found equal. */
  equal: mark.optional(),
  /** The newest `verify` that was answered: when it was asked, whether the table differed then, and how the daemon compared afterwards. */
  verified: z.object({ asked: z.number(), differed: z.boolean(), daemon: daemonCompared.optional() }).optional(),
  /** Something from before `stored` may be missing: the table is being compared. */
  doubt: z.boolean(),
  /** Whether a probe has shown that the daemon serves what is loaded. */
  proved: z.boolean(),
  /** Keys, or messages of the plain form, that are stored and not yet in force. */
  owed: z.number().int(),
  /** Why they are owed: what the last run said, or what is being waited for. */
  why: z.string().optional(),
  /** The last run failed. */
  failing: z.boolean(),
  /** Why the service is held, when it is. */
  held: z.string().optional(),
  /** The digest of what trigger did not write and would have to replace, for `trigger approve`. */
  inTheWay: z.string().optional(),
  /** The digest of the removals that wait for `trigger approve`, and how many they are. */
  removals: z.object({ digest: z.string(), rows: z.number().int() }).optional(),
  /** Keys whose desired row is not taken, with the reason, and whether a last good row is in force. The first hundred. */
  refused: z.array(z.object({ key: z.string(), why: z.string(), since: z.number(), kept: z.boolean() })),
  refusedCount: z.number().int(),
  /** How many of them are held: something that trigger did not write stands in their place. */
  heldCount: z.number().int().optional(),
  /** Messages that wait for a person. The first hundred. */
  parked: z.array(z.object({ id: z.number(), why: z.string(), since: z.number() })),
  parkedCount: z.number().int(),
  /** Messages about rows that were refused, because no trusted key has signed them: how many, and why and when the last one. */
  strangers: z.object({ count: z.number().int(), why: z.string(), at: z.number() }).optional(),
  /** Files that are in place and whose reload or probe has not succeeded yet. */
  reloads: z.array(z.string()),
  /** When the last run succeeded, milliseconds since 1970. */
  ranAt: z.number().optional(),
});

/** How often an active transcriber says that it is, in milliseconds. */
export const activeInterval = 10_000;

const transcriberReport = z.object({
  active: z.boolean(),
  /** The epoch that it speaks in. */
  epoch: z.number().optional(),
  /** Whether it has read the directory whole. */
  complete: z.boolean(),
  /** Why the directory cannot be read now. */
  trouble: z.string().optional(),
  /** The newest `verify` for which the directory was read again: when it was asked, and how many entries the mirror had otherwise. */
  verified: z.object({ asked: z.number(), differed: z.number().int() }).optional(),
});

export const reportMessage = z.object({
  trigger: z.literal(protocolVersion),
  kind: z.literal("report"),
  host: z.string(),
  /** The host's clock, milliseconds since 1970. */
  at: z.number(),
  services: z.record(z.string(), serviceReport),
  /** Of a host that transcribes. */
  transcriber: transcriberReport.optional(),
});
export type DaemonCompared = z.infer<typeof daemonCompared>;
export type ServiceReport = z.infer<typeof serviceReport>;
export type TranscriberReport = z.infer<typeof transcriberReport>;
export type ReportMessage = z.infer<typeof reportMessage>;
