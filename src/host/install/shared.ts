import { dirname } from "node:path";
import type { Files } from "../../core/service/host-api.ts";
import { othersMayReplace } from "../../core/service/trust.ts";

/** The user of this process. */
export const me = (): number => process.geteuid?.() ?? 0;

/** True if users other than root and this one may replace a path, through its folder or one above it. */
export async function isShared(files: Files, path: string): Promise<boolean> {
  let held = await files.stat(path);
  for (let at = path; at !== dirname(at); at = dirname(at)) {
    const folder = await files.stat(dirname(at));
    if (folder && othersMayReplace(folder, held, me())) return true;
    held = folder;
  }
  return false;
}
