import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { structuredPatch } from "diff";

/** The files of a host, as texts by path relative to the folder of all hosts. A folder of homes is a list of names. */
export type Files = ReadonlyMap<string, string>;

export function readFiles(out: string, host: string): Files {
  const files = new Map<string, string>();
  for (const name of readNames(join(out, host))) {
    const path = join(host, name);
    if (name === "homes") {
      const archive = join(path, ".archive");
      files.set(`${path}/`, listing(readNames(join(out, path))));
      files.set(`${archive}/`, listing(readNames(join(out, archive))));
    } else if (!name.endsWith(".cdb") && statSync(join(out, path)).isFile()) {
      files.set(path, readFileSync(join(out, path), "utf8"));
    }
  }
  return files;
}

/** The files that differ, each with its removed (-) and added (+) lines. */
export function differences(before: Files, after: Files): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(path) ?? "", after.get(path) ?? ""];
    if (was === is) continue;
    const { hunks } = structuredPatch(path, path, was, is, "", "", { context: 0 });
    found.set(
      path,
      hunks.flatMap(({ lines }) => lines),
    );
  }
  return found;
}

/** The names in a folder, without those that begin with a dot: these are trigger's own. None if it is missing. */
function readNames(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith("."));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

const listing = (names: readonly string[]): string => names.map((name) => `${name}\n`).join("");
