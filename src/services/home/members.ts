import { Unfit } from "./unfit.ts";

/** The numbers and names that a member's home may have. */
export interface MemberRules {
  readonly firstUid: number;
  readonly firstGid: number;
  /** Ranges of numbers that are no member's, the last one included. */
  readonly systemIds: readonly (readonly [first: number, last: number])[];
}

/** Numbers of nobody and nogroup, and those that programs take for an error (Debian Policy, 9.2.2). */
const never = [65534, 65535, 4294967294, 4294967295];

/** Throws `Unfit` for a uidNumber or gidNumber that is the system's. */
export function requireMembers({ firstUid, firstGid, systemIds }: MemberRules, uid: string, gid: string): void {
  if (Number(uid) < firstUid) throw new Unfit(`uidNumber ${uid} is below ${firstUid} (option firstUid)`);
  if (Number(gid) < firstGid) throw new Unfit(`gidNumber ${gid} is below ${firstGid} (option firstGid)`);
  for (const [what, id] of [
    ["uidNumber", Number(uid)],
    ["gidNumber", Number(gid)],
  ] as const) {
    if (never.includes(id)) throw new Unfit(`${what} ${id} is no member's (nobody, or no number at all)`);
    const range = systemIds.find(([first, last]) => first <= id && id <= last);
    if (range) throw new Unfit(`${what} ${id} is the system's: ${range.join(" to ")} (option systemIds)`);
  }
}

/** Names at the root of a file system that are its own, wherever it is mounted below the base. */
const ofFileSystems = ["lost+found", "aquota.user", "aquota.group", "quota.user", "quota.group"];

/** The reason why a name is no part of a home's path below the base; undefined if it may be. */
export function reservedName(name: string, reserved: readonly string[]): string | undefined {
  if (ofFileSystems.includes(name)) return `${name} belongs to the file system`;
  if (name.startsWith(".")) return `${name} is hidden, and is no home's`;
  return reserved.includes(name) ? `${name} is reserved (option reserved)` : undefined;
}
