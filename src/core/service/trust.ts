import type { Stat } from "./host-api.ts";

/**
 * Tests for users that may replace the content of a folder, by its owner and mode. `me` is the user of this process.
 */

type Owned = Pick<Stat, "mode" | "uid" | "gid">;

const [sticky, groupWrites, allWrite] = [0o1000, 0o020, 0o002];

/** True if the owner is root or this user. */
export const isTrusted = ({ uid }: Owned, me: number): boolean => uid === 0 || uid === me;

/**
 * True if users other than root and this one may replace `held` in a folder. Where the group may write, others may, also
 * if it is root's: an ACL that lets a user write shows as the right of the group (acl(5)). In a sticky folder, such as
 * /tmp, only the owner of `held` may replace it. `held` is undefined if it does not exist yet: any user who may write in
 * the folder may then create it.
 */
export function othersMayReplace(folder: Owned, held: Owned | undefined, me: number): boolean {
  if (!isTrusted(folder, me)) return true;
  const open = (folder.mode & (allWrite | groupWrites)) !== 0;
  if (!open) return false;
  return !((folder.mode & sticky) !== 0 && held && isTrusted(held, me));
}

/** Owner and mode as messages show them: `uid 105, gid 112, mode 2775`. */
export const ownerShown = ({ uid, gid, mode }: Owned): string => `uid ${uid}, gid ${gid}, mode ${mode.toString(8)}`;
