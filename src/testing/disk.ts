import { posix } from "node:path";
import type { Files, Stat } from "../core/service/host-api.ts";
import { fileError } from "../machines/file-error.ts";

/** A file system in memory with the durability of a real disk: unsynced changes can be lost by a power cut. */
export interface Disk {
  /** The operations of the system under test. */
  readonly files: Files;
  /** Makes a symlink to `target` at `path` that is durable at once: a test prepares the disk with it. */
  symlink(target: string, path: string): void;
  /** Writes `text` to `path`, durable at once, with missing directories; mode and owner of `options`: a test prepares the disk with it. */
  place(path: string, text: string, options?: { mode?: number; uid?: number; gid?: number }): void;
  /** The present text of the file at `path`, read without a step; undefined if there is no file. */
  text(path: string): string | undefined;
  /**
   * Drops unsynced changes. `random` gives numbers in [0, 1). They choose the unsynced names that survive, in order or not, and the part
   * of unsynced content that does. Without it nothing unsynced survives.
   */
  powerCut(random?: () => number): void;
}

type Owned = { mode: number; uid: number; gid: number };
interface File extends Owned {
  readonly kind: "file";
  bytes: Buffer;
  /** The content that survives a power cut; undefined before the first sync. */
  synced: Buffer | undefined;
  /** True after a failed sync: the pages count as clean then, so a second sync succeeds and saves nothing. */
  lost: boolean;
}
interface Directory extends Owned {
  readonly kind: "directory";
  names: Map<string, Node>;
  synced: Map<string, Node>;
}
interface Symlink extends Owned {
  readonly kind: "symlink";
  readonly target: string;
}
type Node = File | Directory | Symlink;
/** A name of a directory with its node after an operation; undefined if the operation removed it. */
type NameChange = { readonly directory: Directory; readonly name: string; readonly node: Node | undefined };

/**
 * Makes an empty disk. `step` is called before each operation that changes something; an error that it throws replaces
 * the operation.
 */
export function memoryDisk(step: (name: string) => void = () => {}): Disk {
  const root = newDirectory();
  /** The operations on names that no sync has made durable yet, in order. */
  let pending: NameChange[][] = [];

  const rename = (...changes: NameChange[]): void => {
    for (const { directory, name, node } of changes) setName(directory.names, name, node);
    pending.push(changes);
  };

  const files: Files = {
    async stat(path) {
      const node = find(root, path, { follow: false });
      return node && statOf(node);
    },
    async read(path) {
      const node = find(root, path);
      if (node?.kind === "directory") throw fileError("EISDIR", "read", path);
      return node?.kind === "file" ? Uint8Array.from(node.bytes) : undefined;
    },
    async list(path) {
      const node = find(root, path);
      if (!node) return [];
      if (node.kind !== "directory") throw fileError("ENOTDIR", "list", path);
      return [...node.names.keys()].sort();
    },
    async readLink(path) {
      const node = find(root, path, { follow: false });
      return node?.kind === "symlink" ? node.target : undefined;
    },
    async resolve(path) {
      return resolve(root, path);
    },
    async write(path, bytes, { mode, uid, gid } = {}) {
      step(`create ${path}`);
      const { directory, name, node } = place(root, resolve(root, path));
      if (node && node.kind !== "file") throw fileError("EISDIR", "write", path);
      const file = node ?? { kind: "file", mode: 0o644, uid: 0, gid: 0, bytes: empty, synced: undefined, lost: false };
      file.bytes = empty;
      Object.assign(file, { mode: mode ?? file.mode, uid: uid ?? file.uid, gid: gid ?? file.gid });
      if (!node) rename({ directory, name, node: file });
      step(`write ${path}`);
      file.bytes = Buffer.from(bytes as string);
      file.lost = false;
    },
    async makeDirectory(path, owned = {}) {
      step(`make directory ${path}`);
      let at = "/";
      for (const name of path.split("/").filter(Boolean)) {
        at = posix.join(at, name);
        const found = find(root, at);
        if (found?.kind === "directory") continue;
        if (found) throw fileError("EEXIST", "make directory", at);
        const where = place(root, at);
        const made = Object.assign(newDirectory(), at === posix.normalize(path) ? given(owned) : {});
        rename({ ...where, node: made });
      }
    },
    async chmod(path, mode) {
      step(`chmod ${path}`);
      there(find(root, path), "chmod", path).mode = mode;
    },
    async chown(path, uid, gid) {
      step(`chown ${path}`);
      Object.assign(there(find(root, path, { follow: false }), "chown", path), { uid, gid });
    },
    async link(from, to) {
      step(`link ${from} ${to}`);
      const node = there(find(root, from, { follow: false }), "link", from);
      if (node.kind === "directory") throw fileError("EPERM", "link", from);
      const where = place(root, to);
      if (where.node) throw fileError("EEXIST", "link", to);
      rename({ ...where, node });
    },
    async rename(from, to) {
      step(`rename ${from} ${to}`);
      const source = place(root, from);
      const moved = there(source.node, "rename", from);
      const target = place(root, to);
      if (target.node === moved) return; // rename(2): two names of one file both stay
      if (moved.kind === "directory") {
        if (`${to}/`.startsWith(`${from}/`)) throw fileError("EINVAL", "rename", to);
        if (target.node && target.node.kind !== "directory") throw fileError("ENOTDIR", "rename", to);
        if (target.node?.kind === "directory" && target.node.names.size > 0) throw fileError("ENOTEMPTY", "rename", to);
      } else if (target.node?.kind === "directory") throw fileError("EISDIR", "rename", to);
      rename({ ...source, node: undefined }, { ...target, node: moved });
    },
    async remove(path) {
      step(`remove ${path}`);
      const where = find(root, posix.dirname(path))?.kind === "directory" ? place(root, path) : undefined;
      if (!where?.node) return;
      if (where.node.kind === "directory" && where.node.names.size > 0) throw fileError("ENOTEMPTY", "remove", path);
      rename({ ...where, node: undefined });
    },
    async sync(path) {
      const node = there(find(root, path), "sync", path);
      try {
        step(`sync ${path}`);
      } catch (error) {
        if (node.kind === "file") node.lost = true;
        throw error;
      }
      if (node.kind === "file" && !node.lost) node.synced = node.bytes;
      if (node.kind === "directory") pending = settle(pending, (change) => change.directory === node);
    },
  };

  return {
    files,
    symlink(target, path) {
      placeDirectory(root, posix.dirname(path));
      rename({ ...place(root, path), node: { kind: "symlink", target, mode: 0o777, uid: 0, gid: 0 } });
      pending = settle(pending, () => true);
    },
    place(path, text, owned = {}) {
      const directory = placeDirectory(root, posix.dirname(path));
      const bytes = Buffer.from(text);
      const file: File = { kind: "file", mode: 0o644, uid: 0, gid: 0, bytes, synced: bytes, lost: false };
      const change = { directory, name: posix.basename(path), node: Object.assign(file, given(owned)) };
      rename(change);
      pending = settle(pending, () => true);
    },
    text(path) {
      const node = find(root, path);
      return node?.kind === "file" ? node.bytes.toString() : undefined;
    },
    powerCut(random = () => 0) {
      const inOrder = random() < 0.5;
      const length = Math.floor(random() * (pending.length + 1));
      const survives = new Set(pending.filter((_, index) => (inOrder ? index < length : random() > 0.5)));
      for (const operation of survives)
        for (const { directory, name, node } of operation) setName(directory.synced, name, node);
      pending = [];
      const seen = new Set<Node>();
      const visit = (node: Node): void => {
        if (seen.has(node)) return;
        seen.add(node);
        if (node.kind === "directory") {
          node.names = new Map(node.synced);
          for (const child of node.names.values()) visit(child);
        }
        if (node.kind !== "file" || node.synced === node.bytes) return;
        const kept = [node.synced ?? empty, empty, node.bytes.subarray(0, node.bytes.length >> 1), node.bytes];
        node.bytes = kept[Math.floor(random() * (node.lost ? 3 : 4))] ?? empty;
        node.synced = node.bytes;
        node.lost = false;
      };
      visit(root);
    },
  };
}

const empty = Buffer.alloc(0);

const newDirectory = (): Directory => ({
  kind: "directory",
  mode: 0o755,
  uid: 0,
  gid: 0,
  names: new Map(),
  synced: new Map(),
});

function given(owned: { mode?: number; uid?: number; gid?: number }): Partial<Owned> {
  return Object.fromEntries(Object.entries(owned).filter(([, value]) => value !== undefined));
}

function setName(names: Map<string, Node>, name: string, node: Node | undefined): void {
  if (node) names.set(name, node);
  else names.delete(name);
}

/** Makes the pending changes that are due durable, and returns the rest. */
function settle(pending: NameChange[][], due: (change: NameChange) => boolean): NameChange[][] {
  for (const { directory, name, node } of pending.flat().filter(due)) setName(directory.synced, name, node);
  return pending.map((operation) => operation.filter((change) => !due(change))).filter((rest) => rest.length > 0);
}

function there(node: Node | undefined, operation: string, path: string): Node {
  if (!node) throw fileError("ENOENT", operation, path);
  return node;
}

/** The directory, the last name and the node of a path; symlinks in the directory's path are followed. */
function place(root: Directory, path: string): { directory: Directory; name: string; node: Node | undefined } {
  const directory = find(root, posix.dirname(path));
  if (!directory) throw fileError("ENOENT", "open", path);
  if (directory.kind !== "directory") throw fileError("ENOTDIR", "open", path);
  const name = posix.basename(path);
  return { directory, name, node: directory.names.get(name) };
}

function placeDirectory(root: Directory, path: string): Directory {
  let directory = root;
  for (const name of path.split("/").filter(Boolean)) {
    const found = directory.names.get(name);
    const next = found?.kind === "directory" ? found : newDirectory();
    directory.names.set(name, next);
    directory.synced.set(name, next);
    directory = next;
  }
  return directory;
}

function find(root: Directory, path: string, { follow = true } = {}): Node | undefined {
  const whole = follow ? resolve(root, path) : posix.join(resolve(root, posix.dirname(path)), posix.basename(path));
  let node: Node | undefined = root;
  for (const name of whole.split("/").filter(Boolean)) {
    if (node?.kind !== "directory") return undefined;
    node = node.names.get(name);
  }
  return node;
}

/** The path with every symlink resolved; names that do not exist stay. */
function resolve(root: Directory, path: string): string {
  let todo = path.split("/").filter(Boolean);
  let done: string[] = [];
  for (let turns = 0; todo.length > 0; ) {
    const [name = "", ...rest] = todo;
    todo = rest;
    if (name === ".") continue;
    if (name === "..") {
      done.pop();
      continue;
    }
    const node = walk(root, [...done, name]);
    if (node?.kind !== "symlink") {
      done.push(name);
      continue;
    }
    turns += 1;
    if (turns > 40) throw fileError("ELOOP", "resolve", path);
    if (node.target.startsWith("/")) done = [];
    todo = [...node.target.split("/").filter(Boolean), ...todo];
  }
  return `/${done.join("/")}`;
}

function walk(root: Directory, names: readonly string[]): Node | undefined {
  let node: Node | undefined = root;
  for (const name of names) node = node?.kind === "directory" ? node.names.get(name) : undefined;
  return node;
}

function statOf(node: Node): Stat {
  const { kind, mode, uid, gid } = node;
  return { kind, mode, uid, gid, size: kind === "file" ? node.bytes.length : 0 };
}
