import type { Directory, Entry } from "trigger";

/** What this campus says of its members. Each look into the directory is remembered: when what was found moves, the row that asked is made anew. */

/** Whether a machine may use the network now. */
export function hasAccess(machine: Entry, directory: Directory): boolean {
  const owner = ownerOf(machine, directory);
  return owner !== undefined && hasPaid(owner, directory) && !isBanned(owner, directory);
}

/** The member named by `owner`, otherwise the entry that the machine stands below. The campus's own machines stand below ou=machines, which always has access. */
export const ownerOf = (machine: Entry, directory: Directory): Entry | undefined =>
  directory.follow(machine, "owner")[0] ?? directory.parent(machine);

/** Asked by date, so it ends when the date comes, though nobody changes the directory then. */
export const hasPaid = (member: Entry, directory: Directory): boolean =>
  directory.during(undefined, member.date("paidUntil"));

/** A ban without an end is for good. */
export const isBanned = (member: Entry, directory: Directory): boolean =>
  directory.where("bannedMember", member).some((ban) => directory.during(ban.date("banStart"), ban.date("banEnd")));
