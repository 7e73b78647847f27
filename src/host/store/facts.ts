import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { type Followed, leftToRepair } from "../../core/stream/host-end.ts";
import { highestEpoch, type Mark } from "../../core/stream/messages.ts";
import { heldBy } from "../../core/stream/reasons.ts";
import { prepared } from "./prepared.ts";
import { readJson } from "./read-json.ts";
import type { Hold } from "./retained.ts";

/** The facts of one service, without its rows and messages. */
export interface ServiceFacts {
  readonly form: "table" | "plain";
  readonly code: string;
  readonly followed: Followed;
  /**
   * The part of the table that differs from the transcriber's and is still to come, from 0 to 1; by the latest
   * comparison.
   */
  readonly left: number;
  /** The number of applied rows; stored here because counting them takes longer the more there are. */
  readonly rows: number;
  /** The place in the stream of the rows of the last successful run, and whether the table was in doubt then. */
  readonly applied: (Mark & { readonly doubt?: true }) | undefined;
  /**
   * True if a probe saw the daemon serve the applied rows, false if it or the run failed; undefined without a probe.
   */
  readonly serving: boolean | undefined;
  readonly incarnation: string | undefined;
  /** The number of orders for a full run since the last one: the state of the daemon is unknown while it is above 0. */
  readonly full: number;
  /** The error of the last run. */
  readonly failing: string | undefined;
  /** The error after which the service waits until its rows change, or for `trigger retry`. */
  readonly fatal: string | undefined;
  /** The hold for which the service waits for `trigger approve`; a hold by a person is approved without a digest. */
  readonly held: Hold | undefined;
  readonly ranAt: number | undefined;
}

/** Reads the facts of a service; undefined if the store does not know it. */
export function readFacts(database: DatabaseSync, service: string): ServiceFacts | undefined {
  const found = prepared(database, "SELECT * FROM service WHERE name = ?").get(service);
  return found && factsIn(found);
}

/** Writes some facts of a service, and returns all of them as they are stored now. */
export function writeFacts(database: DatabaseSync, service: string, facts: Partial<ServiceFacts>): ServiceFacts {
  const values = { name: service, ...columns(facts) };
  const names = Object.keys(values);
  const statement = prepared(
    database,
    `INSERT INTO service (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})
     ON CONFLICT (name) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(", ")} RETURNING *`,
  );
  return factsIn(statement.get(...Object.values(values)) ?? {});
}

/** Orders one more full run of a service, and returns the facts as they are stored now. */
export function orderFullRun(database: DatabaseSync, service: string): ServiceFacts {
  const statement = prepared(
    database,
    `INSERT INTO service (name, "full") VALUES (?, 1)
     ON CONFLICT (name) DO UPDATE SET "full" = max("full", 0) + 1 RETURNING *`,
  );
  return factsIn(statement.get(service) ?? {});
}

/** The services that the store knows, with those that the config no longer has. */
export const knownServices = (database: DatabaseSync): string[] =>
  prepared(database, "SELECT name FROM service ORDER BY name")
    .all()
    .map(({ name }) => String(name));

function factsIn(found: Readonly<Record<string, unknown>>): ServiceFacts {
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  const { left = 0, ...followed } = readJson(followedFact, found.followed) ?? {};
  return {
    form: found.form === "plain" ? "plain" : "table",
    code: text(found.code) ?? "",
    followed,
    left,
    rows: Number(found.rows),
    applied: readJson(appliedFact, found.applied),
    serving: found.serving === null ? undefined : found.serving === 1,
    incarnation: text(found.incarnation),
    full: Math.max(0, Number(found.full)),
    failing: text(found.failing),
    fatal: text(found.fatal),
    held: holdIn(found),
    ranAt: typeof found.ran_at === "number" ? found.ran_at : undefined,
  };
}

function holdIn({ held_by: by, held }: Readonly<Record<string, unknown>>): Hold | undefined {
  const known = heldBy.find((one) => one === by);
  return known && { by: known, detail: String(held ?? "") };
}

const markFact = z.object({
  epoch: z.number().max(highestEpoch),
  seq: z.number(),
  asOf: z.object({ state: z.array(z.string()), clock: z.number() }),
});
const appliedFact = markFact.extend({ doubt: z.literal(true).optional() });
const followedFact = z.object({
  mark: markFact.optional(),
  doubt: z.literal(true).optional(),
  equal: markFact.optional(),
  pieces: z.object({ epoch: z.number(), seq: z.number(), count: z.number() }).optional(),
  left: z.number().optional(),
});

function columns(facts: Partial<ServiceFacts>): Record<string, string | number | null> {
  const values: Record<string, string | number | null> = {};
  if (facts.form) values.form = facts.form;
  if ("code" in facts) values.code = facts.code ?? "";
  if (facts.followed) {
    // Repairs are requested again after a restart, from the next comparison.
    const { repair: _, ...stored } = facts.followed;
    const left = leftToRepair(facts.followed);
    values.followed = JSON.stringify(left > 0 ? { ...stored, left } : stored);
  }
  if (facts.rows !== undefined) values.rows = facts.rows;
  if ("applied" in facts) values.applied = facts.applied ? JSON.stringify(facts.applied) : null;
  if ("serving" in facts) values.serving = facts.serving === undefined ? null : Number(facts.serving);
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
