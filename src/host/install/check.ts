import type { Command, Files, Step } from "../../core/host.ts";
import { Fatal } from "../../core/outcome.ts";
import type { Owned, Stage } from "./folder.ts";
import { commandsOf } from "./step.ts";
import type { Target } from "./target.ts";

/** Where a check finds what is to be checked. */
export interface Staged {
  /** What `{staged}` stands for. */
  readonly first: string;
  /** What `{staged:PATH}` stands for, by path as written and by real path. */
  readonly byPath: ReadonlyMap<string, string>;
}

/**
 * Names what a check sees of a set of files: those that were staged, in the place of the others what is installed already.
 * For each configuration that includes one of them (`within`) a copy is staged that includes the staged one instead.
 */
export async function stagedSet(
  files: Files,
  targets: readonly Target[],
  staged: ReadonlyMap<Target, string>,
  stage: Stage,
): Promise<Staged> {
  const byPath = new Map<string, string>();
  for (const target of targets) {
    const name = staged.get(target) ?? target.path;
    byPath.set(target.path, name).set(target.file.path, name);
  }
  for (const target of targets) {
    const { within } = target.file;
    if (within === undefined || byPath.has(within)) continue;
    const inside = targets.filter(({ file }) => file.within === within);
    byPath.set(within, await stageWithin(files, within, inside, byPath, stage));
  }
  const [first] = targets;
  if (!first) throw new Fatal("an install without files has nothing to check");
  return { first: byPath.get(first.file.within ?? first.path) ?? first.path, byPath };
}

async function stageWithin(
  files: Files,
  within: string,
  inside: readonly Target[],
  byPath: ReadonlyMap<string, string>,
  stage: Stage,
): Promise<string> {
  const real = await files.resolve(within);
  const [bytes, stat] = [await files.read(real), await files.stat(real)];
  if (!bytes || !stat) throw new Error(`${within} does not exist, so the check cannot see it with the new files in it`);
  // latin1 keeps every byte of a configuration that is not UTF-8.
  let text = Buffer.from(bytes).toString("latin1");
  let beside = real;
  for (const { file, path } of inside) {
    const paths = [...new Set([file.path, path])].map((name) => Buffer.from(name).toString("latin1"));
    const mention = new RegExp(`(?<![\\w./-])(?:${paths.map(RegExp.escape).join("|")})(?![\\w/-]|\\.\\w)`, "g");
    if (text.search(mention) < 0) {
      throw new Error(`${within} does not mention ${file.path}, so a check of it would not see the new file`);
    }
    text = text.replace(mention, () => Buffer.from(byPath.get(path) ?? path).toString("latin1"));
    beside = path;
  }
  const owned: Owned = { mode: stat.mode, uid: stat.uid, gid: stat.gid };
  return stage.write(beside, Buffer.from(text, "latin1"), owned);
}

/** A check on these staged files: its commands with their names filled in. A function is left as it is. */
export function checkOn(step: Step, { first, byPath }: Staged): Step {
  if (typeof step === "function") return step;
  const fill = (word: string): string =>
    word.replace(/\{staged(?::([^}]*))?\}/g, (_, path: string | undefined) => {
      if (path === undefined) return first;
      const name = byPath.get(path);
      if (name === undefined) throw new Fatal(`{staged:${path}} names no file of this install: ${[...byPath.keys()]}`);
      return name;
    });
  return commandsOf(step).map(([program, ...rest]): Command => [fill(program), ...rest.map(fill)]);
}
