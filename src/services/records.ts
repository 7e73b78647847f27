import type { Host } from "../core/host.ts";
import { canonical } from "../core/row.ts";
import type { Json, KeptRow, Run, RunResult } from "../core/service.ts";

/** A daemon that keeps records which others write, too: brought to match the rows, touching only what this service owns. */

/** How the rows of a service are records of its daemon. A record has a name, one on this daemon, and a content that is JSON. */
export interface Records<Row, Content extends Json> {
  /** The records of a row; the first one's name is the value of the row's first unique column. */
  of(row: Row): Iterable<readonly [name: string, content: Content]>;
  /** What the daemon has under these names; under every name, its own and others', when none are given. */
  look(names?: ReadonlySet<string>): Promise<ReadonlyMap<string, Content>>;
  /**
   * Makes the daemon have what is meant, removals first, in one transaction where it has one. `before` is what it is believed to have:
   * afterwards it has `after`, whatever it had. Gives what it refused, by name, with what it said.
   */
  write(moves: readonly Move<Content>[]): Promise<ReadonlyMap<string, string> | undefined>;
}

export interface Move<Content> {
  readonly name: string;
  readonly before: Content | undefined;
  readonly after: Content | undefined;
}

/** What a run found beside what it was to do. */
export interface Converged {
  readonly result: Exclude<RunResult, void>;
  /** What was written; after all of it the daemon has what is meant. */
  readonly moves: readonly Move<Json>[];
}

/** So many changes, or more, are not looked up one by one if they are also a quarter of the rows: the whole is then the shorter way. */
const manyChanges = 200;

/**
 * Brings the records of a daemon to the rows: by the changes where they are known and few, otherwise by the difference of the whole.
 *
 * A name that the daemon has and that was never claimed is somebody else's. With the content that is wanted it is claimed, since nothing is taken
 * from anyone; with another one its row is held; where no row wants it, it is left alone.
 */
export async function converge<Row, Content extends Json>(
  { rows, changes, interrupted }: Run<Row>,
  host: Host,
  records: Records<Row, Content>,
): Promise<Converged> {
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

  const moves: Move<Content>[] = [];
  const held: KeptRow[] = [];
  const blocked: string[] = [];
  const same: string[] = [];
  for (const name of few ? touched : new Set([...found.keys(), ...wanted.keys()])) {
    const has = few && !unsure?.has(name) ? believed.get(name) : found.get(name);
    const want = wanted.get(name);
    const text = has === undefined ? undefined : canonical(has);
    if (want && text === canonical(want.content)) {
      if (!owned.has(name, text)) same.push(name);
      continue;
    }
    const ours = text === undefined || owned.has(name, text);
    if (want && !ours) {
      blocked.push(name);
      held.push({
        key: want.key,
        why: `${name} has ${text} there, which trigger did not write (wanted: ${canonical(want.content)}): \`trigger adopt ${host.service} ${name}\``,
      });
      continue;
    }
    if (!ours || (text === undefined && !want)) continue;
    moves.push({ name, before: has, after: want?.content });
  }
  owned.claim(same);
  owned.hold(blocked);
  if (moves.length === 0) return { result: { held }, moves };

  moves.sort((a, b) => Number(a.after !== undefined) - Number(b.after !== undefined) || (a.name < b.name ? -1 : 1));
  owned.claim(moves.filter(({ after }) => after !== undefined).map(({ name }) => name));
  const refusals = (await records.write(moves)) ?? new Map<string, string>();
  owned.release(
    moves.flatMap(({ name, before, after }) => {
      // What was refused and was not there is nobody's: who makes it later may be somebody else.
      if (refusals.has(name)) return before === undefined ? [[name, canonical(null)] as const] : [];
      return after === undefined && before !== undefined ? [[name, canonical(before)] as const] : [];
    }),
  );
  const refused = [...refusals].flatMap(([name, why]) => {
    const key = wanted.get(name)?.key ?? keys.get(name);
    if (key === undefined) host.log(`${name}: ${why}`);
    return key === undefined ? [] : [{ key, why }];
  });
  return { result: { refused, held }, moves };
}
