import type { Directory, Entry } from "trigger";

/** True if a machine may use the network: its owner, or the person above it, has paid and is not banned. */
export function hasAccess(machine: Entry, directory: Directory): boolean {
  const owner = directory.follow(machine, "owner")[0] ?? directory.parent(machine);
  if (!owner || !directory.during(undefined, owner.date("paidUntil"))) return false;
  return !directory
    .where("bannedMember", owner)
    .some((ban) => directory.during(ban.date("banStart"), ban.date("banEnd")));
}
