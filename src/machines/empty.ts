import { posix } from "node:path";
import type { Files, Stat } from "../core/service/host-api.ts";
import type { Machine } from "../ports/machine.ts";
import { fileError } from "./file-error.ts";

const root: Stat = { kind: "directory", mode: 0o755, uid: 0, gid: 0, size: 0 };

const refused =
  (operation: string) =>
  async (path: string): Promise<never> => {
    throw fileError("EROFS", operation, path);
  };

const emptyFiles: Files = {
  stat: async (path) => (posix.resolve(path) === "/" ? root : undefined),
  read: async () => undefined,
  list: async () => [],
  readLink: async () => undefined,
  resolve: async (path) => posix.resolve(path),
  write: refused("write"),
  makeDirectory: refused("make directory"),
  chmod: refused("chmod"),
  chown: refused("chown"),
  link: refused("link"),
  rename: refused("rename"),
  remove: refused("remove"),
  sync: refused("sync"),
};

/** The base of a dry machine for any host: it has no file, refuses writes, and each command exits 0 without output. */
export const emptyMachine: Machine = {
  dry: true,
  scratch: "/scratch",
  kept: "/kept",
  files: emptyFiles,
  async run(_, { signal }) {
    signal?.throwIfAborted();
    return { code: 0, stdout: "", stderr: "" };
  },
  incarnation: async (daemon) => (daemon && "pidFile" in daemon ? undefined : "empty"),
};
