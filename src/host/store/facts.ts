import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { highestEpoch, type Mark } from "../../core/stream/messages.ts";
import { type Followed, leftToRepair } from "../../core/stream/reader.ts";
import { heldBy } from "../../core/stream/reasons.ts";
import { daemonCompared, type ServiceReport } from "../../core/stream/report.ts";
import { transaction } from "../../sqlite/open.ts";
import { prepared } from "./prepared.ts";
import type { Hold } from "./retained.ts";

/**
 * A host's own memory: one SQLite file.
 *
 * Per key of a table it keeps `desired` (exactly what the transcriber said), `loaded` (what the last successful run was given) and,
 * where they differ on purpose, `retained_by` and `detail`. While a run is under way, or has not ended well, the keys that it was given are in `doubt`
 * and `given` is what it was given: what a run reads (`given` or `loaded`) does not move under it when messages arrive.
 */

/** What the store knows of one service, its rows and messages apart. */
export interface ServiceFacts {
  form: "table" | "plain";
  code: string;
  followed: Followed;
  /** How much of the table differs from the transcriber's and is still to come, from 0 to 1; by the latest comparison. */
  left: number;
  /** How many rows are loaded; counted here because counting them in the table costs more the more there are. */
  rows: number;
  /** The place whose rows the last successful run was given, and whether the table was in doubt then. */
  loaded: (Mark & { readonly doubt?: true }) | undefined;
  proved: boolean;
  incarnation: string | undefined;
  /** How often a run with all rows was asked for since the last one: the state of the daemon is unknown while it is above 0. */
  full: number;
  /** What the last run failed with. */
  failing: string | undefined;
  /** Why the service waits for its rows to move or for `trigger retry`. */
  fatal: string | undefined;
  /** Why the service waits for `trigger approve`. Of a person's hold it is one without a digest. */
  held: Hold | undefined;
  ranAt: number | undefined;
}

export function readFacts(database: DatabaseSync, service: string): ServiceFacts | undefined {
  const found = prepared(database, "SELECT * FROM service WHERE name = ?").get(service);
  if (!found) return undefined;
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  const { left = 0, ...followed } = remembered(followedFact, text(found.followed)) ?? {};
  return {
    form: found.form === "plain" ? "plain" : "table",
    code: text(found.code) ?? "",
    followed,
    left,
    rows: Number(found.rows),
    loaded: remembered(loadedFact, text(found.loaded)),
    proved: found.proved === 1,
    incarnation: text(found.incarnation),
    full: Math.max(0, Number(found.full)),
    failing: text(found.failing),
    fatal: text(found.fatal),
    held: holdIn(found),
    ranAt: typeof found.ran_at === "number" ? found.ran_at : undefined,
  };
}

function holdIn({ held_by: by, held }: Record<string, unknown>): Hold | undefined {
  const known = heldBy.find((one) => one === by);
  return known && { by: known, detail: String(held ?? "") };
}

const markFact = z.object({
  epoch: z.number().max(highestEpoch),
  seq: z.number(),
  asOf: z.object({ state: z.array(z.string()), clock: z.number() }),
});
const loadedFact = markFact.extend({ doubt: z.literal(true).optional() });
const followedFact = z.object({
  mark: markFact.optional(),
  doubt: z.literal(true).optional(),
  equal: markFact.optional(),
  pieces: z.object({ epoch: z.number(), seq: z.number(), count: z.number() }).optional(),
  left: z.number().optional(),
});

/** A fact as it was written. One that a damaged file made nonsense of is forgotten: the comparison with the transcriber brings it again. */
function remembered<T>(fact: z.ZodType<T>, text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  const known = read.get(text);
  if (known?.as === fact) return known.value as T | undefined;
  const value = readFact(fact, text);
  // They are read many times for each time that they are written.
  if (read.size >= mostRead) read.clear();
  read.set(text, { as: fact, value });
  return value;
}
const read = new Map<string, { readonly as: z.ZodType; readonly value: unknown }>();
const mostRead = 100;

function readFact<T>(fact: z.ZodType<T>, text: string): T | undefined {
  try {
    return fact.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // no JSON at all
  }
}

/** Writes some of what is known of a service; to be called in a transaction where it belongs with other writes. */
export function writeFacts(database: DatabaseSync, service: string, facts: Partial<ServiceFacts>): void {
  prepared(database, "INSERT INTO service (name) VALUES (?) ON CONFLICT (name) DO NOTHING").run(service);
  for (const [column, value] of Object.entries(columns(facts))) {
    prepared(database, `UPDATE service SET ${column} = ? WHERE name = ?`).run(value, service);
  }
}

/** Makes a service owe a run with all rows. */
export function oweFullRun(database: DatabaseSync, service: string): void {
  writeFacts(database, service, { full: (readFacts(database, service)?.full ?? 0) + 1 });
}

/** The newest comparison that a person asked for: when it was asked, milliseconds since 1970, whether the table differed, and how the daemon compared. */
export type Verified = NonNullable<ServiceReport["verified"]>;

export function noteVerified(database: DatabaseSync, service: string, { asked, differed, daemon }: Verified): void {
  transaction(database, () => {
    prepared(database, "INSERT OR REPLACE INTO verified (service, asked, differed) VALUES (?, ?, ?)").run(
      service,
      asked,
      Number(differed),
    );
    if (daemon)
      prepared(database, "INSERT OR REPLACE INTO verified_daemon (service, asked, said) VALUES (?, ?, ?)").run(
        service,
        asked,
        JSON.stringify(daemon),
      );
  });
}

export function readVerified(database: DatabaseSync, service: string): Verified | undefined {
  const found = prepared(
    database,
    `SELECT asked, differed, said FROM verified LEFT JOIN verified_daemon USING (service, asked) WHERE service = ?`,
  ).get(service);
  if (!found) return undefined;
  const daemon = remembered(daemonCompared, typeof found.said === "string" ? found.said : undefined);
  return { asked: Number(found.asked), differed: found.differed === 1, ...(daemon && { daemon }) };
}

/** The rows of a service that owe a run, and those whose loaded row is kept; named by index, because the planner would read every row. */
export const owedRows = "row INDEXED BY row_owed WHERE service = ? AND owed = 1";
export const retainedRows = "row INDEXED BY row_retained WHERE service = ? AND retained_by IS NOT NULL";

/** The services that the store knows of, also those that the config no longer has. */
export const knownServices = (database: DatabaseSync): string[] =>
  prepared(database, "SELECT name FROM service ORDER BY name")
    .all()
    .map(({ name }) => String(name));

function columns(facts: Partial<ServiceFacts>): Record<string, string | number | null> {
  const values: Record<string, string | number | null> = {};
  if (facts.form) values.form = facts.form;
  if ("code" in facts) values.code = facts.code ?? "";
  if (facts.followed) {
    // What is asked for is asked for again after a restart, from the next comparison.
    const { repair: _, ...stored } = facts.followed;
    const left = leftToRepair(facts.followed);
    values.followed = JSON.stringify(left > 0 ? { ...stored, left } : stored);
  }
  if (facts.rows !== undefined) values.rows = facts.rows;
  if ("loaded" in facts) values.loaded = facts.loaded ? JSON.stringify(facts.loaded) : null;
  if ("proved" in facts) values.proved = facts.proved ? 1 : 0;
  if ("incarnation" in facts) values.incarnation = facts.incarnation ?? null;
  if ("full" in facts) values.full = facts.full ?? 0;
  if ("failing" in facts) values.failing = facts.failing ?? null;
  if ("fatal" in facts) values.fatal = facts.fatal ?? null;
  if ("held" in facts) {
    values.held = facts.held?.detail ?? null;
    values.held_by = facts.held?.by ?? null;
  }
  if ("ranAt" in facts) values.ran_at = facts.ranAt ?? null;
  return values;
}
