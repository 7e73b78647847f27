import type { StoredEntry } from "../core/directory/entry.ts";
import type { Table } from "../core/service/service.ts";
import { reason } from "../core/util/errors.ts";
import type { Case, TestMachine } from "./kit/case.ts";
import { guarded } from "./kit/guard.ts";
import { hostileValuesStayInside } from "./kit/hostile.ts";
import { everydayMachine } from "./kit/programs.ts";
import type { Rule } from "./kit/rules.ts";
import * as rules from "./kit/rules.ts";
import { sampled } from "./kit/samples.ts";

/** The verdict on one rule. */
export interface Verdict {
  readonly name: string;
  readonly passed: boolean;
  /** Lines that show how the rule is broken; empty where it is kept. */
  readonly counterexample: readonly string[];
  /** The seed that plays the same histories again. */
  readonly seed: number;
}

export interface ConformanceOptions {
  /** Entries of a directory that give the service rows; `ldifEntries` reads them from a file. */
  readonly entries?: Iterable<StoredEntry>;
  /** The service's name, which `host.service` gives; `service` by default. */
  readonly name?: string;
  /** The host's name, which `host.name` gives; `host` by default. */
  readonly host?: string;
  /** Decides which histories are generated; 1 by default. */
  readonly seed?: number;
  /** The time at which every history begins, milliseconds since 1970; the start of the present day (UTC) by default. */
  readonly now?: number;
  /** The time zone of the config; UTC by default. */
  readonly timezone?: string;
  /** Makes an empty machine with the programs and daemons that the service speaks to; by default a few of every day, and silence of the others. */
  machine?(): TestMachine;
}

const day = 24 * 60 * 60_000;

const tableRules: readonly (readonly [name: string, rule: Rule])[] = [
  ["runs", rules.runs],
  ["deterministic", rules.deterministic],
  ["idempotent", rules.idempotent],
  ["independent of order", rules.independentOfOrder],
  ["safe on deletion", rules.safeOnDeletion],
  ["safe on an empty table", rules.safeOnAnEmptyTable],
  ["hostile values stay inside", hostileValuesStayInside],
  ["converges after a crash at every step", rules.convergesAfterACrash],
];

/** A service as `service(…)` and the ready-made services give it. */
export type Examined = { readonly table: object } | { readonly plain: object };

/** Examines a service: drives it through generated histories, and gives a verdict on each rule as soon as there is one. */
export async function* examine(service: Examined, options: ConformanceOptions = {}): AsyncGenerator<Verdict> {
  if (!("table" in service)) return;
  const on = caseOf(service.table as Table, options);
  for (const [name, rule] of tableRules) {
    const broken = await guarded(() => rule(on)).catch((error) => [`the examination failed: ${reason(error)}`]);
    const passed = broken === undefined;
    yield { name, passed, counterexample: broken ?? [], seed: on.seed };
    // One that does not run at all breaks every other rule as well.
    if (rule === rules.runs && !passed) return;
  }
}

/** Examines a service and throws an error that shows every rule it breaks: for a test. */
export async function conformance(service: Examined, options: ConformanceOptions = {}): Promise<void> {
  const broken = (await Array.fromAsync(examine(service, options))).filter(({ passed }) => !passed);
  if (broken.length > 0) throw new Error(broken.flatMap(sayVerdict).join("\n"));
}

/** A verdict as lines for people. */
export const sayVerdict = ({ name, passed, counterexample }: Verdict): string[] => [
  `${passed ? "pass" : "fail"}  ${name}`,
  ...counterexample.map((line) => `      ${line}`),
];

function caseOf(table: Table, options: ConformanceOptions): Case {
  const { name = "service", host = "host", timezone = "UTC", seed = 1, machine = everydayMachine } = options;
  const { now = Math.floor(Date.now() / day) * day } = options;
  const entries = sampled(name, table, [...(options.entries ?? [])], { timezone, now });
  const secret = (table.secret ?? []).length > 0;
  return { name, host, table, timezone, seed, now, entries, machine: () => machine(), secret, escapes: new Set() };
}
