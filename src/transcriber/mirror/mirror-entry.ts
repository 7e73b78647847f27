import { parentOf } from "../../core/directory/dn.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import { readDn } from "./value-index.ts";

/** An entry in the mirror, with its DN and its parent's in their normal form. */
export interface MirrorEntry extends StoredEntry {
  readonly normal: string;
  readonly parent: string | undefined;
}

/** An entry as the mirror keeps it, from what it had of it where that is known. One whose DN cannot be read is kept under its text: it has no parent, and nobody can name it. */
export function mirrored(entry: StoredEntry, before?: MirrorEntry): MirrorEntry {
  const { uuid, dn, attributes } = entry;
  // To read a name costs the most, and most names of a refresh are as they were.
  if (before?.dn === dn) return before.attributes === attributes ? before : { ...before, attributes };
  const normal = readDn(dn);
  if (normal === undefined) return { uuid, dn, attributes, normal: `not a DN: ${dn}`, parent: undefined };
  return { uuid, dn, attributes, normal, parent: parentOf(normal) };
}
