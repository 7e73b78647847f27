import { randomBytes } from "node:crypto";
import { basename, join } from "node:path";
import type { Command, Files, User } from "../../core/service/host-api.ts";
import { reason } from "../../core/util/errors.ts";
import { me } from "./shared.ts";

/**
 * A folder for one check, with copies that no other user can change during it. It is in the machine's scratch folder,
 * never beside the target.
 */

export interface Scratch {
  readonly folder: string;
  /** Writes a copy under the name of a file and returns its path. */
  write(path: string, bytes: Uint8Array): Promise<string>;
  remove(): Promise<void>;
}

/** Makes the folder: for this user alone (0700), or with a reader also for the reader's group to enter and read. */
export async function openScratch(
  files: Files,
  parent: string,
  { reader, log }: { readonly reader?: User | undefined; log(message: string): void },
): Promise<Scratch> {
  const folder = join(parent, randomBytes(6).toString("hex"));
  const shared = reader && canSwitchTo(reader) ? { uid: me(), gid: reader.gid } : {};
  await files.makeDirectory(parent, { mode: 0o700 });
  await files.makeDirectory(folder, { mode: reader ? 0o750 : 0o700, ...shared });
  const names: string[] = [];
  return {
    folder,
    async write(path, bytes) {
      const base = basename(path);
      const name = join(folder, names.includes(join(folder, base)) ? `${names.length}.${base}` : base);
      names.push(name);
      await files.write(name, bytes, { mode: reader ? 0o640 : 0o600, ...shared });
      return name;
    },
    async remove() {
      try {
        for (const name of names) await files.remove(name);
        await files.remove(folder);
        if ((await files.list(parent)).length === 0) await files.remove(parent);
      } catch (error) {
        // The folder is this user's alone, and the next start removes it.
        log(`the copies for a check were not removed: ${reason(error)}`);
      }
    },
  };
}

/** True if the check has to run as another user, and can: only root can change its user. */
export const canSwitchTo = (user: User): boolean => me() === 0 && user.uid !== 0;

/** The folders of system programs on all systems: a check as another user inherits no environment. */
const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * The command as the user, in the folder: with only the user's own group, no environment, and no way to regain
 * privileges. The folder is entered before privileges are dropped, so the folders above it may be closed to the user.
 */
export function asReader(command: Command, folder: string, user: User): Command {
  const rights = ["--clear-groups", "--no-new-privs", "--"];
  const become = canSwitchTo(user) ? ["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`, ...rights] : [];
  return ["env", "-i", "-C", folder, path, ...become, ...command];
}

/** The name of a path in the folder, relative to the folder. */
export const within = (path: string): string => `./${basename(path)}`;

/** The path in the folder, for a text that a program reads there: the folders above are closed to its user. */
export const fromWithin = (path: string): string => `/proc/self/cwd/${basename(path)}`;

/** The reason why a check could not be run as its user; undefined if it was run. */
export const switchError = (stderr: string, { uid }: User): string | undefined =>
  /^setpriv: /m.test(stderr)
    ? `the check must run as uid ${uid}, but this process may not switch to it (${stderr.trim().slice(0, 200)}): the unit needs CAP_SETUID and CAP_SETGID`
    : undefined;
