import type { Command, User } from "../core/service/host-api.ts";

/**
 * The command with the rights of a user, without other groups and without a way to more. For a program that reads a file
 * which that user may write: the file may name another one, and an error quotes it. Unchanged if the user is root, or
 * trigger is not.
 */
export function asUser(command: Command, { uid, gid }: User): Command {
  if (uid === 0 || process.geteuid?.() !== 0) return command;
  return ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--no-new-privs", "--", ...command];
}
