import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import { resolve as absolute, basename, dirname, join } from "node:path";
import type { Files } from "../core/host.ts";

/** The file system of this machine. */
export const realFiles: Files = {
  async stat(path) {
    const found = await unlessMissing(fs.lstat(path));
    if (!found) return undefined;
    const { mode, uid, gid, size } = found;
    const kinds = { file: found.isFile(), directory: found.isDirectory(), symlink: found.isSymbolicLink() };
    const kind = (["file", "directory", "symlink"] as const).find((each) => kinds[each]) ?? "other";
    return { kind, mode: mode & 0o7777, uid, gid, size };
  },

  read: (path) => unlessMissing(fs.readFile(path)),

  list: async (path) => ((await unlessMissing(fs.readdir(path))) ?? []).sort(),

  resolve: (path) => resolve(absolute(path), 0),

  async write(path, bytes, { mode, uid, gid } = {}) {
    const isNew = !(await unlessMissing(fs.stat(path)));
    // Created for nobody else, and opened up when owner and content are right: no moment at which it is wider than asked.
    const handle = await fs.open(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
    try {
      await handle.truncate();
      if (uid !== undefined || gid !== undefined) await handle.chown(uid ?? -1, gid ?? -1);
      const wanted = mode ?? (isNew ? 0o644 : undefined);
      if (wanted !== undefined) await handle.chmod(wanted);
      await handle.writeFile(bytes);
    } finally {
      await handle.close();
    }
  },

  async makeDirectory(path, { mode, uid, gid } = {}) {
    const isNew = !(await unlessMissing(fs.stat(path)));
    await fs.mkdir(path, { recursive: true });
    if (!isNew) return;
    if (uid !== undefined || gid !== undefined) await fs.chown(path, uid ?? -1, gid ?? -1);
    if (mode !== undefined) await fs.chmod(path, mode);
  },

  chmod: fs.chmod,
  chown: fs.lchown,
  link: fs.link,
  rename: fs.rename,

  async remove(path) {
    const found = await unlessMissing(fs.lstat(path));
    if (found) await unlessMissing(found.isDirectory() ? fs.rmdir(path) : fs.unlink(path));
  },

  async sync(path) {
    const handle = await fs.open(path, constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

/** Undefined where there is nothing: no such name, or a file where a directory would have to be. */
async function unlessMissing<T>(looked: Promise<T>): Promise<T | undefined> {
  try {
    return await looked;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** Every symlink resolved, also one that names nothing; names that do not exist stay. */
async function resolve(path: string, turns: number): Promise<string> {
  if (turns > 40)
    throw Object.assign(new Error(`ELOOP: too many symlinks, resolve '${path}'`), { code: "ELOOP", path });
  const real = await unlessMissing(fs.realpath(path));
  if (real !== undefined) return real;
  const directory = await resolve(dirname(path), turns);
  const inside = join(directory, basename(path));
  const found = await unlessMissing(fs.lstat(inside));
  if (!found?.isSymbolicLink()) return inside;
  return resolve(absolute(directory, await fs.readlink(inside)), turns + 1);
}
