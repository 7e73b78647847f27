import type { ServiceReport } from "../../src/core/stream/report.ts";
import { waits } from "../../src/host/report/report.ts";
import { type Hold, type Retained, sayHold, sayRetained } from "../../src/host/store/retained.ts";
import { numbered, start } from "./expected.ts";

/**
 * The report of `trigger status` on each service when its host was killed, and the places in the stream at which it
 * stood.
 */

/** The digest of the removals of `many` and of `approved`. */
export const removals = "89cebc0b";

/** The digest of the file that `found` found. */
export const foundFile = "5f2ce7de";

type Said = Partial<ServiceReport>;

/** Sentences that the version of a folder wrote into its store; a later one may word them otherwise. */
export interface Sentences {
  readonly found: string;
  readonly many: string;
  readonly givenUp: string;
  readonly wave: string;
}

const nothing: Said = {
  ...{ rows: 2, pending: 0, why: undefined, failing: false, held: undefined, conflict: undefined, doubt: false },
  ...{ removals: undefined, refused: [], refusedCount: 0, heldCount: 0, parked: [], parkedCount: 0, reloads: [] },
  ...{ serving: undefined, untrusted: undefined, verified: undefined },
};

const question = { digest: removals, rows: 20 };

/** A service that is held. */
const heldWith = (hold: Hold): Said => ({ heldBy: hold.by, held: sayHold(hold), why: sayHold(hold) });
const byPerson = (detail: string): Said => heldWith({ by: "person", detail });
const refused = (key: string, by: Retained["by"], detail: string, seconds: number, retained = true) => ({
  ...{ key, by, why: sayRetained({ by, detail }, question), since: start + seconds * 1000, retained },
});

const others = ({ found, many, givenUp, wave }: Sentences): Readonly<Record<string, Said>> => ({
  allowed: { rows: 36 },
  approved: { rows: 40, pending: 20, why: "not now", failing: true },
  cut: { pending: 2, why: waits.nextRun },
  debt: { pending: 1, why: waits.nextRun, reloads: ["/etc/debt.conf"] },
  doors: {
    rows: 1,
    refused: [refused("b", "directory", "two rows have the address 10.0.0.2", 65, false)],
    refusedCount: 1,
  },
  found: {
    rows: 0,
    pending: 2,
    failing: true,
    serving: false,
    ...heldWith({ by: "conflict", detail: found }),
    conflict: foundFile,
  },
  hour: { rows: 32, untrusted: { count: 1, why: "no trusted key signed it", at: start + 67_000 } },
  kinds: {
    rows: 6,
    verified: { asked: start + 66_000, differed: false, daemon: { state: "same" } },
    refused: [
      refused("check", "check", "checkd exited 1: the text is bad", 66),
      refused("daemon", "daemon", "there is no room for it", 66),
      refused("directory", "directory", "two rows have the address 10.0.0.3", 65),
      refused("held", "conflict", "a record of somebody else has its name", 66),
      refused("never", "directory", "name: expected a host name", 65, false),
      refused("version", "version", 'Unrecognized key: "port"', 65),
    ],
    ...{ refusedCount: 6, heldCount: 1 },
  },
  mail: { pending: 1, why: givenUp, failing: true },
  many: {
    ...{ rows: 40, removals: question, refusedCount: 20 },
    refused: numbered(10, 30).map(([key]) => refused(key, "removals", many, 63)),
  },
  notes: {
    ...{ rows: 0, pending: 2, ...byPerson("the list moves"), parkedCount: 2 },
    parked: [
      { id: 3, why: "3 cannot be handled", since: start + 62_000 },
      { id: 4, why: "not JSON in UTF-8", since: start + 62_000 },
    ],
  },
  owing: { why: waits.fullRun, reloads: ["/etc/owing.conf"], serving: true },
  person: { pending: 2, ...byPerson("the switch is being replaced") },
  records: { rows: 1 },
  repair: {
    ...{ rows: 40, doubt: true },
    why: waits.comparison(0.001),
  },
  stubborn: { rows: 0, pending: 2, why: "1 fails", failing: true },
  taken: { rows: 0, pending: 2, failing: true, serving: false, ...byPerson("looked at") },
  wave: { pending: 1, why: wave },
});

/** The report on a service. */
export const saidOf = (service: string, sentences: Sentences): Said => ({ ...nothing, ...others(sentences)[service] });

/** Places by their numbers: of the stored rows, of the applied rows, and of the table that was found equal. */
export function placesOf(service: string): (number | undefined)[] {
  if (service === "kinds") return [2, 2, 2];
  if (service === "cut") return [3, 1, 1];
  if (service === "units") return [5, 5, 1];
  if (["left", "owing", "pieces", "spool"].includes(service)) return [1, 1, 1];
  if (["found", "taken"].includes(service)) return [1, undefined, 1];
  if (["approved", "debt", "mail", "person", "wave"].includes(service)) return [2, 1, 1];
  return [2, 2, 1];
}
