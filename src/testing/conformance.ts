import type { StoredEntry } from "../core/directory/entry.ts";
import type { PlainService, Service, Table } from "../core/service/service.ts";
import { reason } from "../core/util/errors.ts";
import type { Case, TestMachine } from "./kit/case.ts";
import { guarded } from "./kit/guard.ts";
import { hostileValuesStayInside } from "./kit/hostile.ts";
import { bodiesOf, type PlainCase, plainRules } from "./kit/plain.ts";
import { everydayMachine } from "./kit/programs.ts";
import type { Rule } from "./kit/rules.ts";
import * as rules from "./kit/rules.ts";
import { sampled } from "./kit/samples.ts";

/** The verdict on one rule. */
export interface Verdict {
  /** The name of the rule, such as `idempotent`. */
  readonly name: string;
  /** The rule in a sentence. */
  readonly says: string;
  /** True if the service keeps the rule. */
  readonly passed: boolean;
  /** Lines that show how the rule is broken; empty where it is kept. */
  readonly counterexample: readonly string[];
  /** The seed that plays the same histories again. */
  readonly seed: number;
}

/** The samples, the machine and the effort of an examination; each has a default. */
export interface ConformanceOptions {
  /** Entries of a directory that give the service rows; `ldifEntries` reads them from a file. */
  readonly entries?: Iterable<StoredEntry>;
  /** The service's name, which `host.service` gives; `service` by default. */
  readonly name?: string;
  /** The host's name, which `host.name` gives; `host` by default. */
  readonly host?: string;
  /** The seed of the generated histories: an integer, 1 by default. An equal seed gives equal histories. */
  readonly seed?: number;
  /** The time at which each history begins, in milliseconds since 1970; the start of the present day (UTC) by default. */
  readonly now?: number;
  /** The time zone of the config, by its IANA name; UTC by default. */
  readonly timezone?: string;
  /** The names of the rules to examine, such as `idempotent`; all by default. The rule `runs` is always examined. */
  readonly rules?: readonly string[];
  /** The number of histories that are generated; 8 by default. */
  readonly histories?: number;
  /** The most moments at which a process is killed; 40 by default. */
  readonly crashes?: number;
  /** Takes the texts of files by path and gives what they mean, where a service writes one meaning in several ways. */
  readonly meaning?: (files: ReadonlyMap<string, string>) => ReadonlyMap<string, string>;
  /** Bodies of a plain service; made from its schema by default. */
  readonly bodies?: readonly unknown[];
  /** Makes a machine for one history, with the programs and daemons that the service speaks to; `everydayMachine()` by default. */
  machine?(): TestMachine;
}

const day = 24 * 60 * 60_000;

const first = "runs";

const tableRules: readonly (readonly [name: string, says: string, rule: Rule])[] = [
  [first, "a first run on the samples succeeds, and the machine shows their rows", rules.runs],
  ["deterministic", "equal entries give equal rows and files, at any time and in any order", rules.deterministic],
  ["idempotent", "a full run on rows that are applied already changes nothing", rules.idempotent],
  ["independent of order", "equal rows give an equal machine, whatever came before", rules.independentOfOrder],
  ["safe on deletion", "a removed row leaves nothing, and takes nothing else along", rules.safeOnDeletion],
  ["safe on an empty table", "a table may be empty, and then nothing is left of it", rules.safeOnAnEmptyTable],
  ["mends an unknown state", "a full run tells a daemon all: it may have lost what it had", rules.mendsAnUnknownState],
  ["hostile values stay inside", "no value becomes a record, a command or a path", hostileValuesStayInside],
  ["converges after a crash at every step", "a restart ends as a run without a crash", rules.convergesAfterACrash],
];

/** A service to examine, as `service(…)` and the ready-made services give it. */
export type Examined = { readonly table: object } | { readonly plain: object };

/**
 * Examines a service as `conformance` does, and gives the verdict on each rule as soon as there is one. After a broken
 * rule `runs` there is no other verdict.
 */
export async function* examine(service: Examined, options: ConformanceOptions = {}): AsyncGenerator<Verdict> {
  const { seed = 1 } = options;
  for (const [name, says, broken] of rulesOf(service as Service, options)) {
    if (options.rules && name !== first && !options.rules.includes(name)) continue;
    const counterexample = (await guarded(broken).catch((error) => [`the examination failed: ${reason(error)}`])) ?? [];
    const passed = counterexample.length === 0;
    yield { name, says, passed, counterexample, seed };
    // One that does not run at all breaks every other rule as well.
    if (name === first && !passed) return;
  }
}

/** The rules of a service, each as a function that gives lines if it is broken. */
function rulesOf(
  service: Service,
  options: ConformanceOptions,
): [name: string, says: string, broken: () => Promise<readonly string[] | undefined>][] {
  if ("table" in service) {
    const on = caseOf(service.table, options);
    return tableRules.map(([name, says, rule]) => [name, says, () => rule(on)]);
  }
  const on = plainCaseOf(service.plain, options);
  return plainRules.map(([name, says, rule]) => [name, says, () => rule(on)]);
}

/**
 * Examines a service on generated histories, in memory; resolves if it keeps each rule. `options` has the samples, the machine and the
 * effort.
 *
 * @throws an error whose message shows each broken rule with a history that breaks it.
 *
 * @example
 * ```ts
 * import { test } from "node:test";
 * import { conformance, ldifEntries } from "trigger/testing";
 * import gate from "./gate.ts";
 *
 * const entries = ldifEntries(new URL("../directory.ldif", import.meta.url));
 *
 * test("the gate keeps the rules of a service", () => conformance(gate, { name: "gate", entries }));
 * ```
 */
export async function conformance(service: Examined, options: ConformanceOptions = {}): Promise<void> {
  const broken = (await Array.fromAsync(examine(service, options))).filter(({ passed }) => !passed);
  if (broken.length > 0) throw new Error(broken.flatMap(sayVerdict).join("\n"));
}

/** A verdict as lines for people. */
export const sayVerdict = ({ name, says, passed, counterexample }: Verdict): string[] => [
  passed ? `pass  ${name}` : `fail  ${name}: ${says}`,
  ...counterexample.map((line) => `      ${line}`),
];

function plainCaseOf(plain: PlainService<unknown>, options: ConformanceOptions): PlainCase {
  const { name = "service", host = "host", crashes = 40, machine = everydayMachine } = options;
  const { now = today(), bodies = bodiesOf(plain) } = options;
  return { name, host, plain, bodies, crashes, now, escapes: new Set(), machine: () => machine() };
}

const today = (): number => Math.floor(Date.now() / day) * day;

function caseOf(table: Table, options: ConformanceOptions): Case {
  const { name = "service", host = "host", timezone = "UTC", seed = 1, machine = everydayMachine } = options;
  const { now = today(), histories = 8, crashes = 40 } = options;
  const entries = sampled(name, table, [...(options.entries ?? [])], { timezone, now });
  const secret = (table.secret ?? []).length > 0;
  return {
    name,
    host,
    table,
    histories,
    crashes,
    timezone,
    seed,
    now,
    entries,
    machine: () => machine(),
    secret,
    escapes: new Set(),
    meaning: options.meaning,
  };
}
