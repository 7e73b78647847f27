import type { Host } from "../core/service/host-api.ts";
import type { Run, RunResult, WaitingRow } from "../core/service/service.ts";
import { canonical } from "../core/stream/cells.ts";
import type { Json } from "../core/util/json.ts";

/**
 * Convergence of a daemon in which others write records, too: trigger makes it match the rows, and touches only the
 * service's own records.
 */

/** The records of a daemon for rows. A record has a name, unique on the daemon, and a content in JSON. */
export interface Records<Row, Content extends Json> {
  /** The records of `row`; the first one's name is the value of the row's first unique column. */
  of(row: Row): Iterable<readonly [name: string, content: Content]>;
  /** The records of the daemon under `names`. Without `names`, all records, foreign ones included. */
  look(names?: ReadonlySet<string>): Promise<ReadonlyMap<string, Content>>;
  /**
   * Makes `moves`, removals first, in one transaction if the daemon has transactions. Afterwards it has `after`, even if it did not have
   * `before`. Returns the names that were not written, each with the daemon's message, or `overtaken`.
   */
  write(moves: readonly Move<Content>[]): Promise<ReadonlyMap<string, string | typeof overtaken> | undefined>;
}

/** The answer of a comparing daemon for a name whose content is not `before`. The name is read and decided again. */
export const overtaken = Symbol("overtaken");

/** A change of a record. */
export interface Move<Content> {
  /** The name of the record. */
  readonly name: string;
  /** The expected present content; undefined for none. */
  readonly before: Content | undefined;
  /** The wanted content; undefined for none. */
  readonly after: Content | undefined;
}

/** The moves as lines, for display. */
export const shownMoves = (moves: readonly Move<Json>[]): string[] =>
  moves.flatMap(({ name, before, after }) => [
    ...(before === undefined ? [] : [`- ${name} ${canonical(before)}`]),
    ...(after === undefined ? [] : [`+ ${name} ${canonical(after)}`]),
  ]);

/** The result of `converge`. */
export interface Converged<Content extends Json = Json> {
  /** The refused and the held rows: the result for `run`. */
  readonly result: Exclude<RunResult, void>;
  /** The changes that were written. */
  readonly moves: readonly Move<Content>[];
}

/**
 * The least number of changes for which the whole is read rather than each name, if they are also a quarter of the
 * rows.
 */
const manyChanges = 200;

/** The most tries for a name that others keep changing. */
const rounds = 3;

/**
 * Makes `records` of a daemon match the rows of `run`: by the changes if they are known and few, otherwise by a comparison of all.
 *
 * A name in the daemon that trigger never claimed is foreign, even with the wanted content: trigger would remove it together with the row.
 * A row with a foreign name is held with all of its records. A foreign name without a row is left alone.
 */
export async function converge<Row, Content extends Json>(
  run: Run<Row>,
  host: Host,
  records: Records<Row, Content>,
): Promise<Converged<Content>> {
  const { rows, changes, interrupted } = run;
  const { owned } = host;
  const few = changes && (changes.length < manyChanges || changes.length * 4 < rows.size);
  const wanted = new Map<string, { key: string; content: Content }>();
  const keys = new Map<string, string>();
  const believed = new Map<string, Content>();

  if (few) {
    for (const { key, before, after } of changes) {
      for (const [name, content] of before === undefined ? [] : records.of(before)) {
        believed.set(name, content);
        keys.set(name, key);
      }
      for (const [name, content] of after === undefined ? [] : records.of(after)) wanted.set(name, { key, content });
    }
  } else {
    for (const [key, row] of rows.entries()) {
      for (const [name, content] of records.of(row)) wanted.set(name, { key, content });
    }
  }
  const touched = new Set([...believed.keys(), ...wanted.keys()]);
  const unsure = few ? new Set([...touched].filter((name) => interrupted || !believed.has(name))) : undefined;
  const found: ReadonlyMap<string, Content> =
    unsure?.size === 0 ? new Map<string, Content>() : await records.look(unsure);

  const held = new Map<string, string>();
  const refused = new Map<string, string>();
  let ours: ReadonlySet<string> | undefined;
  const mine = (): ReadonlySet<string> => {
    ours ??= new Set(owned.names());
    return ours;
  };
  const keyOf = (name: string): string | undefined => wanted.get(name)?.key ?? keys.get(name);

  /** The moves of names whose present content is known. */
  function decide(names: Iterable<string>, contentOf: (name: string) => Content | undefined): Move<Content>[] {
    const moves: Move<Content>[] = [];
    const blocked: [name: string, record: string][] = [];
    const same: string[] = [];
    const vanished: string[] = [];
    for (const name of names) {
      const before = contentOf(name);
      const want = wanted.get(name);
      const text = before === undefined ? undefined : canonical(before);
      const isWanted = want !== undefined && text === canonical(want.content);
      if (isWanted && owned.has(name, text)) {
        if (!mine().has(name)) same.push(name); // its take-over was approved, or a backup brought it back
      } else if (text === undefined && !want) {
        vanished.push(name);
      } else if (text === undefined || owned.has(name, text)) {
        moves.push({ name, before, after: want?.content });
      } else if (want) {
        const wish = isWanted ? "the same is wanted" : `wanted: ${canonical(want.content)}`;
        blocked.push([name, text]);
        held.set(
          want.key,
          `${name} has ${text} there, which trigger did not write (${wish}): \`trigger adopt ${host.service} ${name}\``,
        );
      }
    }
    owned.claim(same);
    owned.hold(blocked);
    // Another program has removed a record first: a later record of this name is foreign.
    if (vanished.length > 0) owned.release(vanished.map((name) => [name, ""]));
    return moves
      .filter(({ name }) => !held.has(keyOf(name) ?? ""))
      .sort((a, b) => Number(a.after !== undefined) - Number(b.after !== undefined) || (a.name < b.name ? -1 : 1));
  }

  const all = few ? touched : new Set([...found.keys(), ...wanted.keys(), ...owned.names()]);
  const known = (name: string) => (few && !unsure?.has(name) ? believed.get(name) : found.get(name));
  const written: Move<Content>[] = [];
  let moves = decide(all, known);
  for (let round = 1; moves.length > 0; round++) {
    owned.claim(moves.filter(({ after }) => after !== undefined).map(({ name }) => name));
    const answers = (await records.write(moves)) ?? new Map<string, string | typeof overtaken>();
    const done = moves.filter(({ name }) => !answers.has(name));
    const created = new Set(moves.filter(({ before }) => before === undefined).map(({ name }) => name));
    written.push(...done);
    owned.release([
      ...done.flatMap(({ name, before, after }) =>
        after === undefined && before !== undefined ? [[name, canonical(before)] as const] : [],
      ),
      // A record that was not written counts as foreign, with any content.
      ...[...answers.keys()].filter((name) => created.has(name)).map((name) => [name, ""] as const),
    ]);
    const again = new Set<string>();
    for (const [name, why] of answers) {
      if (why !== overtaken) refused.set(name, why);
      else if (round < rounds) again.add(name);
      else refused.set(name, "other programs change it faster than trigger can write it");
    }
    if (again.size === 0) break;
    const now = await records.look(again);
    moves = decide(again, (name) => now.get(name));
  }

  const refusals = new Map<string, string>();
  for (const [name, why] of refused) {
    const key = keyOf(name);
    if (key === undefined) host.log(`${name}: ${why}`);
    else refusals.set(key, why);
  }
  return { result: { refused: kept(refusals), held: kept(held) }, moves: written };
}

const kept = (rows: ReadonlyMap<string, string>): WaitingRow[] => [...rows].map(([key, why]) => ({ key, why }));
