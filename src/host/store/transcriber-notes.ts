import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { lastMoment } from "../../core/stream/messages.ts";
import { reportMessage } from "../../core/stream/report.ts";
import type { TranscriberState } from "../../core/stream/transcriber-state.ts";
import { prepared } from "./prepared.ts";
import { readJson } from "./read-json.ts";

const storedReport = reportMessage.extend({ heard: z.number().max(lastMoment).optional() });

/** The last report of a host, and the time of its arrival by this machine's clock, in milliseconds since 1970. */
export type StoredReport = z.infer<typeof storedReport>;

/** The notes of a transcriber in its host's store: the last report of each host, and its own state. */
export interface TranscriberNotes {
  /** The last reports, by host. */
  reports(): StoredReport[];
  keepReport(report: StoredReport): void;
  /** Forgets the last report of a host, or its part about one service; true if there was any. */
  forgetReport(host: string, service?: string): boolean;
  /** The state of the transcriber; undefined if it has stored none in this life. */
  state(): TranscriberState | undefined;
  keepState(state: TranscriberState): void;
  forgetState(): void;
}

/** Opens the notes of a transcriber. */
export const transcriberNotesOf = (database: DatabaseSync): TranscriberNotes => ({
  reports: () => readReports(database),
  keepReport: (report) => keepReport(database, report),
  forgetReport(host, service) {
    if (service === undefined) return prepared(database, "DELETE FROM report WHERE host = ?").run(host).changes > 0;
    const report = readReports(database).find((candidate) => candidate.host === host);
    if (!report?.services[service]) return false;
    const { [service]: _, ...services } = report.services;
    keepReport(database, { ...report, services });
    return true;
  },
  state() {
    const value = readJson(z.unknown(), prepared(database, "SELECT body FROM transcriber").get()?.body);
    return isState(value) ? value : undefined;
  },
  keepState(state) {
    prepared(database, "INSERT OR REPLACE INTO transcriber (one, body) VALUES (1, ?)").run(JSON.stringify(state));
  },
  forgetState() {
    database.exec("DELETE FROM transcriber");
  },
});

function keepReport(database: DatabaseSync, report: StoredReport): void {
  const text = "INSERT OR REPLACE INTO report (host, body) VALUES (?, ?)";
  prepared(database, text).run(report.host, JSON.stringify(report));
}

/** The readable reports. In a damaged file, the host's next report replaces an unreadable one. */
const readReports = (database: DatabaseSync): StoredReport[] =>
  prepared(database, "SELECT body FROM report ORDER BY host")
    .all()
    .flatMap(({ body }) => readJson(storedReport, body) ?? []);

/** True for a state of a transcriber. Any other value comes from a damaged file, or from another version. */
const isState = (value: unknown): value is TranscriberState => storedState.safeParse(value).success;

const moment = z.number().max(lastMoment);
const newest = z.object({ why: z.string(), at: moment });
const storedState = z.object({
  active: z.boolean(),
  epoch: z.number().optional(),
  complete: z.boolean(),
  progress: z.object({ what: z.string(), done: z.number(), of: z.number() }).optional(),
  verified: z.object({ asked: z.number(), differed: z.number() }).optional(),
  ownEpochs: z.record(z.string(), z.number()).optional(),
  trouble: z.string().optional(),
  troubleSince: moment.optional(),
  entries: z.number(),
  namesakes: z.array(z.string()).optional(),
  events: z
    .object({ setAside: z.object({ count: z.number(), newest: newest.optional() }), trouble: z.string().optional() })
    .optional(),
  services: z.record(
    z.string(),
    z.object({
      ...{ rows: z.number(), refused: z.number(), code: z.string(), behind: z.boolean() },
      refusing: z.array(z.string()).optional(),
      unfinished: z
        .object({ count: z.number(), first: z.array(z.object({ dn: z.string(), since: moment })) })
        .optional(),
    }),
  ),
});
