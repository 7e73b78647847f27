import { posix } from "node:path";
import type { Host, Stat } from "../../core/service/host-api.ts";
import { homeLayout } from "./layout.ts";
import { reservedName } from "./members.ts";
import { Unfit } from "./unfit.ts";

/** The base directory, with the operations that are safe in it. */
export interface HomeContext {
  readonly archive: string;
  /** The real path of a home; throws `Unfit` if it is not below the base, or if a member could put a symlink into its path. */
  place(home: string): Promise<string>;
  /** True if a uid's own directory is at a path; throws `Unfit` for anything else there. */
  owns(path: string, uid: string): Promise<boolean>;
  /** Makes a member the owner of the directory at a path, but not of its content. `mayTake` is true for a uid that may lose it. */
  give(path: string, member: { uid: number; gid: number }, mayTake: (uid: string) => boolean): Promise<void>;
  move(from: string, to: string): Promise<void>;
  create(path: string, owner: { uid: number; gid: number }): Promise<void>;
}

export interface HomePlaces {
  readonly base: string;
  readonly archive?: string | undefined;
  readonly chown: boolean;
  readonly group: boolean;
  readonly mode: number;
  readonly skeleton: string | false;
  /** The patterns of homes below the base; undefined: any home in a directory that exists. */
  readonly layout?: readonly string[] | undefined;
  /** Names below the base that are no home's. */
  readonly reserved: readonly string[];
}

/** Opens the base. Throws if it is missing: its file system may not be mounted, and homes must not be created below the mount point. */
export async function homeContext(host: Host, places: HomePlaces): Promise<HomeContext> {
  const { base, archive: wish, chown, group, mode, skeleton, reserved } = places;
  const layout = places.layout && homeLayout(places.layout);
  const { files, memory } = host;
  const real = await files.resolve(base);
  const owner = await files.stat(real);
  if (owner?.kind !== "directory") throw new Error(`${base} is not a directory: is its file system mounted?`);
  const archive = wish ?? posix.join(real, ".archive");
  await openArchive();
  const sound = new Set([real]);

  return {
    archive,
    async place(home) {
      const inside = below(home, base) ?? below(home, real);
      if (!inside) throw new Unfit(`${home} is not below ${base}`);
      const place = posix.join(real, inside);
      if (place === archive || below(place, archive)) throw new Unfit(`${home} lies in the archive`);
      const names = inside.split("/");
      const why = names.map((name) => reservedName(name, reserved)).find((one) => one !== undefined);
      if (why !== undefined) throw new Unfit(`${home}: ${why}`);
      if (layout && !layout.fits(names)) throw new Unfit(`${home} is no place of homes (option layout)`);
      await makeParents(posix.dirname(place));
      return place;
    },
    async owns(path, uid) {
      if (!below(path, real)) throw new Unfit(`${path} is not below ${base}`);
      const there = await files.stat(path);
      if (!there) return false;
      if (there.kind !== "directory") throw new Unfit(`${path} is there, and is a ${there.kind}`);
      const wanted = chown ? Number(uid) : owner.uid;
      if (there.uid !== wanted) throw new Unfit(`${path} is there, and belongs to uid ${there.uid}, not ${wanted}`);
      await makeParents(posix.dirname(path));
      return true;
    },
    async give(path, member, mayTake) {
      const there = await files.stat(path);
      if (!chown || there?.kind !== "directory" || !below(path, real)) return;
      const right = there.uid === member.uid;
      if (right ? !group || there.gid === member.gid : !mayTake(String(there.uid))) return;
      await makeParents(posix.dirname(path));
      await files.chown(path, member.uid, group || !right ? member.gid : there.gid);
      host.log(`${path} belonged to ${there.uid}:${there.gid}, and belongs to ${member.uid}:${member.gid} now`);
    },
    async move(from, to) {
      await files.rename(from, to);
      await files.sync(posix.dirname(to));
      await files.sync(posix.dirname(from));
      host.log(`${from} is now ${to}`);
    },
    /** Makes a home aside and renames it, so that a visible home is complete and has its owner. */
    async create(path, member) {
      const { uid, gid } = chown ? member : owner;
      const aside = posix.join(archive, `.new-${member.uid}`);
      await files.makeDirectory(aside, { mode: 0o700 });
      if (skeleton !== false) await copy(skeleton, aside, { uid, gid });
      if (chown) await files.chown(aside, uid, gid);
      await files.chmod(aside, mode);
      await files.sync(aside);
      await files.rename(aside, path);
      await files.sync(posix.dirname(path));
      await files.sync(archive);
    },
  };

  /** Opens the archive. If it existed before and is missing now, the base's file system is not mounted. */
  async function openArchive(): Promise<void> {
    const there = await files.stat(archive);
    if (there?.kind === "directory") {
      if (there.uid !== owner?.uid)
        throw new Error(`${archive} belongs to uid ${there.uid}, the base to ${owner?.uid}`);
    } else if (there) {
      throw new Error(`${archive} is not a directory but a ${there.kind}`);
    } else if (memory.get("archive") === archive) {
      throw new Error(`${archive} is gone: is the file system of ${base} mounted?`);
    } else {
      await files.makeDirectory(archive, { mode: 0o700, ...ownerOf(owner) });
      await files.sync(posix.dirname(archive));
    }
    memory.set("archive", archive);
  }

  /**
   * Requires that each directory above a home belongs to the owner of the base: no other user can then change the path
   * to a home. A missing one is created only if the option `layout` tells folders from homes. Otherwise a member could
   * have the place of a later member's home taken, by a home below it.
   */
  async function makeParents(directory: string): Promise<void> {
    if (sound.has(directory)) return;
    await makeParents(posix.dirname(directory));
    const there = await files.stat(directory);
    if (!there) {
      if (!layout) throw new Unfit(`${directory} does not exist: make it, or name its homes (option layout)`);
      await files.makeDirectory(directory, { mode: 0o755, ...ownerOf(owner) });
      await files.sync(posix.dirname(directory));
    } else if (there.kind !== "directory" || there.uid !== owner?.uid) {
      const what = there.kind === "directory" ? `belongs to uid ${there.uid}` : `is a ${there.kind}`;
      throw new Unfit(`${directory} ${what}: a home is only below directories of the base's owner`);
    }
    sound.add(directory);
  }

  async function copy(from: string, to: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
    for (const name of await files.list(from)) {
      const [source, target] = [posix.join(from, name), posix.join(to, name)];
      const there = await files.stat(source);
      if (there?.kind === "directory") {
        await files.makeDirectory(target, { mode: there.mode, uid, gid });
        await copy(source, target, { uid, gid });
      } else if (there?.kind === "file") {
        await files.write(target, (await files.read(source)) ?? "", { mode: there.mode, uid, gid });
        await files.sync(target);
      } else {
        host.log(`${source} is not copied: it is neither a file nor a directory`);
      }
    }
  }
}

const ownerOf = (stat: Stat | undefined) => ({ uid: stat?.uid ?? 0, gid: stat?.gid ?? 0 });

/** A path relative to one above it; undefined if it is not below that. */
function below(path: string, above: string): string | undefined {
  const prefix = above.endsWith("/") ? above : `${above}/`;
  return path.startsWith(prefix) && path.length > prefix.length ? path.slice(prefix.length) : undefined;
}
