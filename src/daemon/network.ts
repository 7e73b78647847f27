import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { lastMoment } from "../core/stream/messages.ts";
import { reportMessage } from "../core/stream/report.ts";
import type { TranscriberState } from "../core/stream/transcriber-state.ts";

/** What a transcriber keeps, in its host's store, of the network: the last report of each host, and what it says of itself. */

/** What a host last said, and when that was heard by the clock of this machine, in milliseconds since 1970. */
const keptReport = reportMessage.extend({ heard: z.number().max(lastMoment).optional() });
export type KeptReport = z.infer<typeof keptReport>;

export function keepReport(database: DatabaseSync, report: KeptReport): void {
  database.prepare("INSERT OR REPLACE INTO report (host, body) VALUES (?, ?)").run(report.host, JSON.stringify(report));
}

/** Forgets the last report of a host, or what it says of one service; says whether there was anything. */
export function forgetReport(database: DatabaseSync, host: string, service?: string): boolean {
  if (service === undefined) return database.prepare("DELETE FROM report WHERE host = ?").run(host).changes > 0;
  const report = readReports(database).find((candidate) => candidate.host === host);
  if (!report?.services[service]) return false;
  const { [service]: _, ...services } = report.services;
  keepReport(database, { ...report, services });
  return true;
}

export function keepTranscriberState(database: DatabaseSync, state: TranscriberState): void {
  database.prepare("INSERT OR REPLACE INTO transcriber (one, body) VALUES (1, ?)").run(JSON.stringify(state));
}

/** Forgets what a transcriber said of itself in the life before. */
export const forgetTranscriberState = (database: DatabaseSync): void => database.exec("DELETE FROM transcriber");

export const readReports = (database: DatabaseSync): KeptReport[] =>
  database
    .prepare("SELECT body FROM report ORDER BY host")
    .all()
    .flatMap(({ body }) => {
      const read = keptReport.safeParse(parse(String(body)));
      return read.success ? [read.data] : []; // of a damaged file: the host's next report takes its place
    });

export function readTranscriberState(database: DatabaseSync): TranscriberState | undefined {
  const found = database.prepare("SELECT body FROM transcriber").get();
  const state = found && parse(String(found.body));
  return isState(state) ? state : undefined;
}

/** Anything else than what a transcriber keeps is of a damaged file, or of another version. */
const isState = (value: unknown): value is TranscriberState => keptState.safeParse(value).success;

const moment = z.number().max(lastMoment);
const newest = z.object({ why: z.string(), at: moment });
const keptState = z.object({
  active: z.boolean(),
  epoch: z.number().optional(),
  complete: z.boolean(),
  progress: z.object({ what: z.string(), done: z.number(), of: z.number() }).optional(),
  verified: z.object({ asked: z.number(), differed: z.number() }).optional(),
  apart: z.record(z.string(), z.number()).optional(),
  trouble: z.string().optional(),
  troubleSince: moment.optional(),
  entries: z.number(),
  events: z
    .object({ aside: z.object({ count: z.number(), newest: newest.optional() }), trouble: z.string().optional() })
    .optional(),
  services: z.record(
    z.string(),
    z.object({
      ...{ rows: z.number(), refused: z.number(), code: z.string(), behind: z.boolean() },
      refusing: z.array(z.string()).optional(),
    }),
  ),
});

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
