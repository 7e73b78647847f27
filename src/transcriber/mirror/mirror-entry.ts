import { parentOf, readDn } from "../../core/directory/dn.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import { type Schema, standardSchema } from "../../core/directory/schema.ts";

/** An entry in the mirror, with the normal forms of its DN and of its parent's by the schema. */
export interface MirrorEntry extends StoredEntry {
  readonly normal: string;
  readonly parent: string | undefined;
}

/**
 * Makes the mirror's entry of a stored one; `before` is the mirror's last entry with that UUID, by the same schema. An
 * entry whose DN is
 * malformed is kept under its text: it has no parent, and no other entry can name it.
 */
export function mirrored(entry: StoredEntry, schema: Schema = standardSchema, before?: MirrorEntry): MirrorEntry {
  const { uuid, dn, attributes } = entry;
  // Parsing a DN costs the most, and most DNs of a refresh are unchanged.
  if (before?.dn === dn) return before.attributes === attributes ? before : { ...before, attributes };
  const normal = readDn(dn, schema);
  if (normal === undefined) return { uuid, dn, attributes, normal: `not a DN: ${dn}`, parent: undefined };
  return { uuid, dn, attributes, normal, parent: parentOf(normal) };
}
