import { isUtf8 } from "node:buffer";
import { createTwoFilesPatch } from "diff";
import type { InPlace, Target } from "./target.ts";

/** A diff is shown up to so many lines: past that it no longer tells anybody anything. */
const diffLines = 200;
/** Edits after which a diff is given up: its cost grows with their square. */
const diffEdits = 2000;

/** One sentence or a unified diff on what replacing a file that somebody else wrote does. */
export function difference({ path, bytes }: Target, found: InPlace, secret: boolean): string {
  if (secret) return "the difference may hold secrets and is not shown";
  if (!isUtf8(found.bytes)) return "what was found is not text";
  const [before, after] = [Buffer.from(found.bytes).toString(), bytes.toString()];
  const patch = createTwoFilesPatch(path, path, before, after, "as found", "as installed", {
    context: 3,
    maxEditLength: diffEdits,
  });
  if (patch === undefined) return `the two differ in more than ${diffEdits} lines`;
  const lines = patch.split("\n").slice(1); // without the line of ====
  if (lines.length <= diffLines) return lines.join("\n").trimEnd();
  return `${lines.slice(0, diffLines).join("\n")}\n… ${lines.length - diffLines} more lines`;
}
