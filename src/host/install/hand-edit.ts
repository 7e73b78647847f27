import { isUtf8 } from "node:buffer";
import { createTwoFilesPatch } from "diff";
import { tooLongToDiff } from "../../core/service/diff-limit.ts";
import { Held } from "../../core/util/errors.ts";
import type { PendingInstall } from "../store/ledger.ts";
import { orBlocked } from "./blocked.ts";
import { isMine } from "./folder.ts";
import type { InPlace } from "./in-place.ts";
import { keepAside } from "./kept.ts";
import type { Target } from "./target.ts";
import type { InstallContext } from "./work.ts";

/**
 * Foreign changes of installed files. They are shown, kept aside and replaced; when they recur, held for a person to
 * decide.
 */

/** The third hand edit of a path within this time, in milliseconds, holds the service. */
const editTime = 60 * 60_000;
const editLimit = 3;

/** The most lines of a diff that are shown; a longer one is of no help. */
const diffLines = 200;
/** The most characters of a shown line. */
const diffWidth = 1000;
/** The most edits of a diff, whose cost grows with their square; a longer diff is not computed. */
const diffEdits = 2000;

export type HandEdits = ReturnType<typeof handEdits>;

export function handEdits({ ledger, files, kept, owned, clock, secret, log }: InstallContext) {
  /** True if another writer changed or removed the file that this service installed. */
  function isEdited({ path, hash, disk }: Target, pending: readonly PendingInstall[]): boolean {
    const applied = ledger.applied(path);
    const now = disk?.hash ?? null;
    if (!applied || now === hash) return false;
    const unfinished = pending.find((candidate) => candidate.path === path);
    return unfinished ? now !== unfinished.to && now !== unfinished.goodHash : now !== applied.hash;
  }

  const isFound = ({ path, hash, disk }: Target): boolean =>
    !ledger.applied(path) && disk !== undefined && disk.hash !== hash;

  /** True if the file in place has this service's own last text, or the text of an interrupted install. */
  const isOwnText = ({ path, disk }: Target, pending: readonly PendingInstall[]): boolean =>
    disk?.hash === ledger.writtenHash(path) ||
    pending.some(
      (unfinished) => unfinished.path === path && unfinished.to === disk?.hash && unfinished.to !== unfinished.goodHash,
    );

  /**
   * True if the first take-over of a file waits for a person: the file existed before trigger ever wrote it. An empty
   * one may mean something, too: that no user has access, for example.
   */
  async function waitsForPerson(target: Target): Promise<boolean> {
    const { path, disk } = target;
    if (!isFound(target) || !disk) return false;
    return !owned.has(path, disk.hash) && !(await isMine(files, path));
  }

  /** Throws `Held` if an install of these files would; changes nothing. */
  async function throwIfHeld(targets: readonly Target[]): Promise<void> {
    for (const target of targets.filter(({ hash }) => hash !== null)) {
      const held = ledger.held(target.path);
      if (held !== null) throw new Held(held);
      if (await waitsForPerson(target)) throw new Held(foundAt(target));
    }
  }

  /** Throws `Held` for a file that existed before trigger ever wrote it: its first take-over waits for a person. */
  async function holdFound(targets: readonly Target[]): Promise<void> {
    for (const target of targets) {
      const { path, disk } = target;
      const isSame = disk !== undefined && disk.hash === target.hash && !ledger.applied(path);
      if (isSame && !owned.has(path, disk.hash) && !(await orBlocked(files, path, () => isMine(files, path))))
        log(`${path} has the very text, but trigger did not write it: it is trigger's from now on`);
      if (!disk || !(await orBlocked(files, path, () => waitsForPerson(target)))) continue;
      log(`${path} exists, but trigger did not write it\n${difference(target, disk, secret)}`);
      owned.hold([[path, disk.hash]]);
      throw new Held(foundAt(target));
    }
  }

  /** Throws `Held` for a path that another program keeps writing, until its replacement is approved. */
  function holdEdited(all: readonly Target[], pending: readonly PendingInstall[]): void {
    // A file to remove is not held: an edit must not keep it in place.
    const targets = all.filter(({ hash }) => hash !== null);
    for (const { path, disk } of targets) {
      const held = ledger.held(path);
      if (held === null) continue;
      // Only the text that was shown is replaced: a different text is shown again.
      if (!owned.has(path, disk?.hash ?? "")) {
        owned.hold([[path, disk?.hash ?? ""]]);
        throw new Held(held);
      }
      ledger.approve(path);
    }
    const now = clock.now();
    for (const target of targets.filter((candidate) => isEdited(candidate, pending))) {
      const { path, disk } = target;
      const edits = [...ledger.edits(path, now - editTime, now), now];
      if (edits.length < editLimit) continue;
      const times = edits.map((at) => new Date(at).toISOString()).join(", ");
      const why = `another program keeps writing ${path} (${times}): it stays until its replacement is approved`;
      if (disk) log(`${why}\n${difference(target, disk, secret)}`);
      owned.hold([[path, disk?.hash ?? ""]]);
      ledger.hold(path, why);
      throw new Held(why);
    }
  }

  /** Shows and keeps aside a foreign text before it is replaced; returns true for a hand edit. */
  async function setAside(target: Target, pending: readonly PendingInstall[]): Promise<boolean> {
    const { path, disk } = target;
    const isEdit = isEdited(target, pending);
    const isForeign = target.hash === null ? !isOwnText(target, pending) : isEdit || isFound(target);
    if (disk && (isForeign || disk.odd !== undefined)) {
      const aside = await keepAside({ files, kept }, path, disk, { now: clock.now(), secret });
      const isKnown = target.hash === null || isEdit;
      const by = isKnown ? "was changed by another program" : "was found, but trigger did not write it";
      const what = disk.odd === undefined ? by : `is ${disk.odd}, put there by another user`;
      const becomes = target.hash === null ? "removed" : "replaced";
      log(`${path} ${what}: it is ${becomes}, a copy is kept as ${aside}\n${difference(target, disk, secret)}`);
    } else if (isEdit) log(`${path} was removed by another program: it is restored`);
    return isEdit;
  }

  return { holdEdited, holdFound, throwIfHeld, setAside };
}

function foundAt({ path, disk }: Target): string {
  if (disk?.odd === undefined)
    return `${path} exists, but trigger did not write it: it stays until its replacement is approved (a copy will be kept)`;
  return `${path} is ${disk.odd}, in a folder that other users may write: it is not followed, and stays until its replacement is approved. Name the target file instead, or make the folder writable for root alone`;
}

/** The effect of replacing a file: one sentence, or a unified diff. */
function difference({ path, bytes }: Target, found: InPlace, secret: boolean): string {
  if (secret) return "the difference may contain secrets and is not shown";
  if (!isUtf8(found.bytes)) return "the found file is not text";
  const [before, after] = [Buffer.from(found.bytes).toString(), bytes.toString()];
  if (tooLongToDiff(before) || tooLongToDiff(after)) return "the difference is too long to be shown";
  const patch = createTwoFilesPatch(path, path, before, after, "as found", "as installed", {
    context: 3,
    maxEditLength: diffEdits,
  });
  if (patch === undefined) return `the two differ in more than ${diffEdits} lines`;
  const lines = patch
    .split("\n")
    .slice(1) // without the line of ====
    .map((line) => (line.length > diffWidth ? `${line.slice(0, diffWidth)}…` : line));
  if (lines.length <= diffLines) return lines.join("\n").trimEnd();
  return `${lines.slice(0, diffLines).join("\n")}\n… ${lines.length - diffLines} more lines`;
}
