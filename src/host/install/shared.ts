import { dirname } from "node:path";
import type { Files, Stat, User } from "../../core/service/host-api.ts";
import { isTrusted, othersMayReplace } from "../../core/service/trust.ts";

/** The user of this process. */
export const me = (): number => process.geteuid?.() ?? 0;

/** True if users other than root and this one may replace a path, through its folder or one above it. */
export const isShared = async (files: Files, path: string): Promise<boolean> =>
  (await writerOf(files, path)) !== undefined;

/** Debian's user and group that own no file. */
const nobody = 65_534;
const noUser: User = { uid: nobody, gid: nobody };

/** The other user who may replace a path, by the nearest folder that lets one; undefined if none may. */
async function writerOf(files: Files, path: string): Promise<User | undefined> {
  let held = await files.stat(path);
  for (let at = path; at !== dirname(at); at = dirname(at)) {
    const folder = await files.stat(dirname(at));
    if (folder && othersMayReplace(folder, held, me())) return userOf(folder);
    held = folder;
  }
  return undefined;
}

/** The owner of a folder; if only its group is another one than root's, `nobody` with that group. */
function userOf(folder: Stat): User {
  const { uid, gid } = folder;
  if (!isTrusted(folder, me())) return { uid, gid };
  return gid === 0 ? noUser : { uid: nobody, gid };
}

/**
 * The user with whose rights files of some folders are checked; undefined if others may write none of them. If several
 * users may, it is `nobody`.
 */
export async function checkerOf(files: Files, folders: readonly string[]): Promise<User | undefined> {
  const writers: (User | undefined)[] = [];
  // A path that cannot be read counts as changed by others.
  for (const folder of new Set(folders)) writers.push(await writerOf(files, folder).catch(() => noUser));
  const [first] = writers;
  const isSame = writers.every((one) => one?.uid === first?.uid && one?.gid === first?.gid);
  return isSame ? first : noUser;
}
