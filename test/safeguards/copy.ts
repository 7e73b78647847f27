import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Removal, without } from "./removal.ts";

export const root = join(import.meta.dirname, "../..");

/** The parts of the tree that tests read. */
const pages = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"];
const parts = ["src", "test", "scripts", "examples", "docs", "bin", ...pages, "package.json"];

/** A copy of the tree in a temporary folder, in which safeguards are taken away one at a time. */
export function copyOfTree() {
  const folder = mkdtempSync(join(tmpdir(), "safeguards-"));
  for (const part of [...parts, "tsconfig.json", "biome.json"])
    cpSync(join(root, part), join(folder, part), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return {
    folder,
    /** Takes a safeguard away until the end of the scope. */
    remove(removal: Removal): Disposable {
      const path = join(folder, removal.file);
      const whole = readFileSync(path, "utf8");
      writeFileSync(path, without(removal, whole));
      return { [Symbol.dispose]: () => writeFileSync(path, whole) };
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
export type Copy = ReturnType<typeof copyOfTree>;
