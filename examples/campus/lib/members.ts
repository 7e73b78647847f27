import type { Directory, Entry } from "trigger";

/**
 * The rules of this campus for its members. Each read of the directory is recorded in the read set of its row. The row
 * is computed again when the result changes.
 */

/** True if a machine may use the network now. */
export function hasAccess(machine: Entry, directory: Directory): boolean {
  const owner = ownerOf(machine, directory);
  return owner !== undefined && hasPaid(owner, directory) && !isBanned(owner, directory);
}

/**
 * The member named by `owner`, otherwise the parent entry of the machine. The campus's own machines have the parent
 * `ou=machines`, which always has access.
 */
export const ownerOf = (machine: Entry, directory: Directory): Entry | undefined =>
  directory.follow(machine, "owner")[0] ?? directory.parent(machine);

/** True until the end of the member's subscription. It ends at that time without any change of the directory. */
export const hasPaid = (member: Entry, directory: Directory): boolean =>
  directory.during(undefined, member.date("paidUntil"));

/** True while a ban names the member. A ban without an end is permanent. */
export const isBanned = (member: Entry, directory: Directory): boolean =>
  directory.where("bannedMember", member).some((ban) => directory.during(ban.date("banStart"), ban.date("banEnd")));
