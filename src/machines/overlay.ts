import { posix } from "node:path";
import type { Files, Stat } from "../core/service/host-api.ts";
import { fileError } from "./file-error.ts";

/** Files over other files: every change stays in memory, and everything read afterwards sees it. */

/** A file, directory or symlink: the base's at some path, or a changed one. */
type Node = Below | Directory | File;
interface Below {
  readonly kind: "below";
  readonly path: string;
  readonly stat: Stat;
}
interface Directory {
  readonly kind: "directory";
  /** The path of the base's directory that is visible below the changes. */
  readonly below: string | undefined;
  /** The changed names; null for a removed one. */
  readonly names: Map<string, Node | null>;
  stat: Stat;
}
interface File {
  readonly kind: "file";
  /** The content, or the path at which the base has it. */
  content: string | Uint8Array;
  stat: Stat;
}

/** The changes, as they happen. */
export interface Changes {
  /** Notes the content of a file before and after; undefined for none. */
  file(path: string, before: Uint8Array | undefined, after: Uint8Array | undefined): void;
  /** Notes any other change, as a sentence. */
  other(what: string): void;
}

export function overlay(base: Files, changed: Changes): Files {
  const stat: Stat = { kind: "directory", mode: 0o755, uid: 0, gid: 0, size: 0 };
  const root: Directory = { kind: "directory", below: "/", names: new Map(), stat };

  async function child(node: Node, name: string): Promise<Node | undefined> {
    const changedHere = node.kind === "directory" ? node.names.get(name) : undefined;
    if (changedHere !== undefined) return changedHere ?? undefined;
    const below = node.kind === "below" ? node.path : node.kind === "directory" ? node.below : undefined;
    if (below === undefined) return undefined;
    const path = posix.join(below, name);
    const found = await base.stat(path);
    return found && { kind: "below", path, stat: found };
  }

  async function walk(path: string): Promise<Node | undefined> {
    let node: Node | undefined = root;
    for (const name of namesOf(path)) node = node && (await child(node, name));
    return node;
  }

  async function resolve(path: string): Promise<string> {
    let todo = namesOf(path);
    let done = "/";
    for (let turns = 0; todo.length > 0; ) {
      const [name = "", ...rest] = todo;
      todo = rest;
      done = posix.join(done, name);
      const node = await walk(done);
      if (node?.kind !== "below" || node.stat.kind !== "symlink") continue;
      turns += 1;
      if (turns > 40) throw fileError("ELOOP", "resolve", path);
      const real = await base.resolve(node.path);
      if (real === node.path) throw fileError("ELOOP", "resolve", path);
      todo = [...namesOf(real), ...rest];
      done = "/";
    }
    return done;
  }

  const real = async (path: string): Promise<string> =>
    posix.join(await resolve(posix.dirname(path)), posix.basename(path));
  const find = async (path: string): Promise<Node | undefined> => walk(await real(path));
  const follow = async (path: string): Promise<Node | undefined> => walk(await resolve(path));

  /** The directory of a path in a form that can be changed, and the last name. */
  async function open(path: string): Promise<{ directory: Directory; name: string }> {
    let directory = root;
    for (const name of namesOf(await resolve(posix.dirname(path)))) {
      const node = await child(directory, name);
      if (!node) throw fileError("ENOENT", "open", path);
      if (node.stat.kind !== "directory") throw fileError("ENOTDIR", "open", path);
      const next = changeable(node) as Directory;
      directory.names.set(name, next);
      directory = next;
    }
    return { directory, name: posix.basename(path) };
  }

  async function contentOf(node: Node | undefined): Promise<Uint8Array | undefined> {
    if (node?.stat.kind !== "file") return undefined;
    if (node.kind === "below") return base.read(node.path);
    if (node.kind === "directory") return undefined;
    return typeof node.content === "string" ? base.read(node.content) : node.content;
  }

  async function put(path: string, node: Node | null): Promise<void> {
    const { directory, name } = await open(path);
    directory.names.set(name, node);
  }

  /** The node at a path in a form that can be changed; a symlink is not followed. */
  async function take(path: string, operation: string, node: Node | undefined): Promise<Node> {
    if (!node) throw fileError("ENOENT", operation, path);
    const mine = changeable(node);
    if (mine !== node) await put(path, mine);
    return mine;
  }

  async function list(node: Node | undefined, path: string): Promise<string[]> {
    if (!node) return [];
    if (node.stat.kind !== "directory") throw fileError("ENOTDIR", "list", path);
    if (node.kind === "below") return base.list(node.path);
    if (node.kind === "file") return [];
    const below = node.below === undefined ? [] : await base.list(node.below);
    const all = new Set([...below, ...node.names.keys()]);
    return [...all].filter((name) => node.names.get(name) !== null).sort();
  }

  return {
    async stat(path) {
      return (await find(path))?.stat;
    },
    async read(path) {
      const node = await follow(path);
      if (node?.stat.kind === "directory") throw fileError("EISDIR", "read", path);
      return contentOf(node);
    },
    list: async (path) => list(await follow(path), path),
    async readLink(path) {
      const node = await find(path);
      return node?.kind === "below" ? base.readLink(node.path) : undefined;
    },
    resolve,

    async write(path, bytes, { mode, uid, gid } = {}) {
      const at = await resolve(path);
      const node = await walk(at);
      if (node && node.stat.kind !== "file") throw fileError("EISDIR", "write", path);
      const content = Uint8Array.from(Buffer.from(bytes as string));
      const had = node?.stat ?? { mode: 0o644, uid: 0, gid: 0 };
      const owned = { mode: mode ?? had.mode, uid: uid ?? had.uid, gid: gid ?? had.gid };
      const written: Stat = { kind: "file", ...owned, size: content.length };
      changed.file(at, await contentOf(node), content);
      if (node?.kind === "file") Object.assign(node, { content, stat: written });
      else await put(at, { kind: "file", content, stat: written });
    },
    async makeDirectory(path, { mode, uid, gid } = {}) {
      const missing: string[] = [];
      for (let at = await resolve(path); ; at = posix.dirname(at)) {
        const node = await walk(at);
        if (node && node.stat.kind !== "directory") throw fileError("EEXIST", "make directory", at);
        if (node) break;
        missing.unshift(at);
      }
      for (const at of missing) {
        const owned = at === missing.at(-1) ? { mode: mode ?? 0o755, uid: uid ?? 0, gid: gid ?? 0 } : {};
        await put(at, { kind: "directory", below: undefined, names: new Map(), stat: { ...stat, ...owned } });
        changed.other(`make directory ${at}`);
      }
    },
    async chmod(path, mode) {
      const at = await resolve(path);
      const node = await take(at, "chmod", await walk(at));
      if (node.stat.mode === mode) return;
      changed.other(`change the mode of ${at} to ${mode.toString(8)}`);
      if (node.kind !== "below") node.stat = { ...node.stat, mode };
    },
    async chown(path, uid, gid) {
      const at = await real(path);
      const node = await take(at, "chown", await walk(at));
      if (node.stat.uid === uid && node.stat.gid === gid) return;
      changed.other(`give ${at} to ${uid}:${gid}`);
      if (node.kind !== "below") node.stat = { ...node.stat, uid, gid };
    },
    async link(from, to) {
      const [source, target] = [await real(from), await real(to)];
      const node = await take(source, "link", await walk(source));
      if (node.kind === "directory") throw fileError("EPERM", "link", from);
      if (await walk(target)) throw fileError("EEXIST", "link", to);
      changed.file(target, undefined, await contentOf(node));
      await put(target, node);
    },
    async rename(from, to) {
      const [source, target] = [await real(from), await real(to)];
      const node = await walk(source);
      const there = await walk(target);
      if (!node) throw fileError("ENOENT", "rename", from);
      if (node === there || source === target) return;
      if (node.stat.kind === "directory") {
        if (`${target}/`.startsWith(`${source}/`)) throw fileError("EINVAL", "rename", to);
        if (there && there.stat.kind !== "directory") throw fileError("ENOTDIR", "rename", to);
        if (there && (await list(there, to)).length > 0) throw fileError("ENOTEMPTY", "rename", to);
        changed.other(`move ${source} to ${target}`);
      } else {
        if (there?.stat.kind === "directory") throw fileError("EISDIR", "rename", to);
        const content = await contentOf(node);
        changed.file(source, content, undefined);
        changed.file(target, await contentOf(there), content);
      }
      await put(target, node);
      await put(source, null);
    },
    async remove(path) {
      const at = await real(path);
      const node = await walk(at);
      if (!node) return;
      if (node.stat.kind === "directory") {
        if ((await list(node, path)).length > 0) throw fileError("ENOTEMPTY", "remove", path);
        changed.other(`remove directory ${at}`);
      } else if (node.stat.kind === "file") changed.file(at, await contentOf(node), undefined);
      else changed.other(`remove ${at}`);
      await put(at, null);
    },
    async sync(path) {
      if (!(await follow(path))) throw fileError("ENOENT", "sync", path);
    },
  };
}

const namesOf = (path: string): string[] => posix.resolve("/", path).split("/").filter(Boolean);

function changeable(node: Node): Node {
  if (node.kind !== "below") return node;
  const { stat, path } = node;
  if (stat.kind === "directory") return { kind: "directory", below: path, names: new Map(), stat };
  if (stat.kind === "file") return { kind: "file", content: path, stat };
  return node;
}
