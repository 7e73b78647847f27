import type { CheckAs, Command, Files, Host, InstallSteps, Step, User } from "../../core/service/host-api.ts";
import { CommandFailed, Fatal } from "../../core/util/errors.ts";
import type { Owned, Stage } from "./folder.ts";
import { asReader, fromWithin, within as nameWithin, openScratch, type Scratch, switchError } from "./scratch.ts";
import { checkerOf } from "./shared.ts";
import { commandDeadline, commandsOf, failed, runStep, type StepContext } from "./step.ts";
import { folderOf, type Target } from "./target.ts";

/** A file staged beside its target. */
export interface StagedFile {
  readonly name: string;
  /** The written bytes. In a folder that others may write to, another file may have the name by now. */
  readonly bytes: Uint8Array;
}
/** The staged files by target; undefined for a file to remove. */
export type Staged = ReadonlyMap<Target, StagedFile | undefined>;

type Check = NonNullable<InstallSteps["check"]>;
type Commands = Exclude<Step, (host: Host) => Promise<void>>;

/** The names under which a check finds the files. */
interface Names {
  /** The value of `{staged}`. */
  readonly first: string;
  /** The value of `{staged:PATH}`, by path as written and by real path. */
  readonly byPath: ReadonlyMap<string, string>;
}

/** The place of the copies that a check sees. */
interface Place {
  /** The name of a target's file, staged or in place. */
  file(target: Target): Promise<string>;
  /** The name of a file in the text of a configuration that includes it. */
  included(name: string): string;
  /** Writes a copy of a configuration that includes the file at `beside`, with the rights of that configuration. */
  configuration(path: string, bytes: Uint8Array, on: { beside: string; owned: Owned }): Promise<string>;
}

/** A check with its copies in place. */
export interface PreparedCheck extends AsyncDisposable {
  /** Throws if the check fails. */
  run(): Promise<void>;
}

/**
 * Prepares a check of a set of files: the staged ones, and the installed text of the others. The check sees them beside
 * their targets, so that a confined checker (AppArmor) may read them. In a folder that others may write to, it sees
 * copies in another folder, with the rights of the user who may write there: a checker reads what its files name.
 */
export async function prepareCheck(
  check: Check,
  targets: readonly Target[],
  { staged, staging, context }: { readonly staged: Staged; readonly staging: Stage; readonly context: StepContext },
): Promise<PreparedCheck> {
  const { machine, host } = context;
  const { files, scratch: parent } = machine;
  if (typeof check === "function") return prepared(() => check(host));
  // If all files are to be removed, there is nothing to check.
  if (targets.length === 0 && ("user" in check || isOfStaged(check))) return prepared(async () => {});
  const folders = targets.map(({ path }) => folderOf(path));
  const user = "user" in check ? check.user : await checkerOf(files, folders);
  if (!("user" in check) && !user) {
    const commands = filled(check, await namesFor(files, targets, beside(staged, staging)));
    return prepared(() => runStep(commands, context));
  }
  const as: CheckAs[] =
    "user" in check ? [check] : commandsOf(check).map((command) => ({ command, user: user as User }));
  const scratch = await openScratch(files, parent, { reader: user, log: host.log });
  try {
    const names = await namesFor(files, targets, inScratch(staged, scratch));
    for (const { beside = {} } of as)
      for (const [name, text] of Object.entries(beside)) await scratch.write(name, Buffer.from(text));
    const run = async (): Promise<void> => {
      for (const one of as) await runAs(one, names, scratch.folder, context);
    };
    return prepared(run, scratch.remove);
  } catch (error) {
    await scratch.remove();
    throw error;
  }
}

const prepared = (run: () => Promise<void>, remove = async (): Promise<void> => {}): PreparedCheck => ({
  run,
  [Symbol.asyncDispose]: remove,
});

const isOfStaged = (check: Commands): boolean =>
  commandsOf(check)
    .flat()
    .some((word) => word.includes("{staged"));

const beside = (staged: Staged, staging: Stage): Place => ({
  file: async (target) => staged.get(target)?.name ?? target.path,
  included: (name) => name,
  configuration: (_, bytes, { beside, owned }) => staging.write(beside, bytes, owned),
});

/** Copies of all files. Installed ones are copied, too, since they may change during the check. */
const inScratch = (staged: Staged, scratch: Scratch): Place => ({
  file: (target) => scratch.write(target.path, staged.get(target)?.bytes ?? target.bytes),
  included: fromWithin,
  configuration: (path, bytes) => scratch.write(path, bytes),
});

async function runAs(
  { command, user }: CheckAs,
  { first, byPath }: Names,
  folder: string,
  { machine, host, secret }: StepContext,
): Promise<void> {
  const inFolder = new Map([...byPath].map(([path, name]) => [path, nameWithin(name)]));
  const named = fill(command, { first: nameWithin(first), byPath: inFolder });
  const asked = asReader(named, folder, user);
  const output = await machine.run(asked, { changes: true, signal: host.signal, deadline: commandDeadline });
  if (output.code === 0) return;
  const why = switchError(output.stderr, user);
  if (why !== undefined) throw new Error(why);
  const { message, code } = failed(command, output, secret);
  throw new CommandFailed(message, code, output);
}

/**
 * The names under which a check sees a set of files. Each configuration that includes one of them (`within`) gets a
 * copy that includes the staged file instead.
 */
async function namesFor(files: Files, targets: readonly Target[], place: Place): Promise<Names> {
  const byPath = new Map<string, string>();
  for (const target of targets) {
    const name = await place.file(target);
    byPath.set(target.path, name).set(target.file.path, name);
  }
  for (const target of targets) {
    const { within } = target.file;
    if (within === undefined || byPath.has(within)) continue;
    const inside = targets.filter(({ file }) => file.within === within);
    byPath.set(within, await copyWithin(files, within, inside, byPath, place));
  }
  const [first] = targets;
  return { first: first ? (byPath.get(first.file.within ?? first.path) ?? first.path) : "", byPath };
}

async function copyWithin(
  files: Files,
  within: string,
  inside: readonly Target[],
  byPath: ReadonlyMap<string, string>,
  place: Place,
): Promise<string> {
  const real = await files.resolve(within);
  const [bytes, stat] = [await files.read(real), await files.stat(real)];
  if (!bytes || !stat) throw new Error(`${within} does not exist, so the check cannot read it with the new files`);
  // latin1 keeps every byte of a configuration that is not UTF-8.
  let text = Buffer.from(bytes).toString("latin1");
  let beside = real;
  for (const { file, path } of inside) {
    const paths = [...new Set([file.path, path])].map((name) => Buffer.from(name).toString("latin1"));
    const mention = new RegExp(`(?<![\\w./-])(?:${paths.map(RegExp.escape).join("|")})(?![\\w/-]|\\.\\w)`, "g");
    if (text.search(mention) < 0) {
      throw new Error(`${within} does not mention ${file.path}, so a check of it would not see the new file`);
    }
    text = text.replace(mention, () => Buffer.from(place.included(byPath.get(path) ?? path)).toString("latin1"));
    beside = path;
  }
  const owned: Owned = { mode: stat.mode, uid: stat.uid, gid: stat.gid };
  return place.configuration(real, Buffer.from(text, "latin1"), { beside, owned });
}

/** The commands of a check with the names filled in. */
function filled(step: Commands, names: Names): readonly Command[] {
  return commandsOf(step).map((command) => fill(command, names));
}

function fill([program, ...rest]: Command, { first, byPath }: Names): Command {
  const word = (text: string): string =>
    text.replace(/\{staged(?::([^}]*))?\}/g, (_, path: string | undefined) => {
      if (path === undefined) return first;
      const name = byPath.get(path);
      if (name === undefined) throw new Fatal(`{staged:${path}} names no file of this install: ${[...byPath.keys()]}`);
      return name;
    });
  return [word(program), ...rest.map(word)];
}
