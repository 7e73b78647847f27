import { distinctDn } from "../../core/directory/dn.ts";
import type { StoredEntry } from "../../core/directory/entry.ts";
import { uuidOf } from "../../core/directory/identity.ts";
import { UserError } from "../../core/util/errors.ts";
import { type Block, blocksOf } from "./blocks.ts";
import { wrongAt } from "./lines.ts";
import type { LdifRecord } from "./record.ts";
import { recordsOf } from "./records.ts";

/** An entry as read from a block of the file. */
interface ReadEntry {
  readonly entry: StoredEntry;
  readonly distinct: string;
}

/**
 * Reads a file of entries. A change record, a second entry with the same name or entryUUID, and any fault of LDIF are a
 * `UserError`. So is a file without any entry, as it is more likely cut off than meant.
 */
export const readContent = (bytes: Uint8Array, file: string): StoredEntry[] => contentReader(file)(bytes);

/**
 * Makes a reader for repeated readings of a file of entries. Unchanged blocks are not parsed again, and give the same
 * entry objects.
 */
export function contentReader(file: string): (bytes: Uint8Array) => StoredEntry[] {
  let known = new Map<string, ReadEntry>();

  return (bytes) => {
    const read = new Map<string, ReadEntry>();
    const entries: StoredEntry[] = [];
    const names = new Map<string, number>();
    const uuids = new Map<string, number>();
    for (const block of blocksOf(bytes)) {
      const text = block.bytes.toString("latin1");
      const found = known.get(text) ?? readBlock(block, file, entries.length > 0);
      if (!found) continue;
      const { entry, distinct } = found;
      claim(names, distinct, block.line, () => `the entry "${entry.dn}"`);
      claim(uuids, entry.uuid, block.line, () => `the entryUUID ${entry.uuid}`);
      entries.push(entry);
      read.set(text, found);
    }
    if (entries.length === 0) throw new UserError(`${file}: expected at least one entry, found none`);
    known = read;
    return entries;
  };

  function claim(lines: Map<string, number>, key: string, line: number, what: () => string): void {
    const other = lines.get(key);
    if (other !== undefined) throw wrongAt(file, line, `${what()} exists already, at line ${other}`);
    lines.set(key, line);
  }
}

/** The entry of a block; undefined if it has comments alone. */
function readBlock({ bytes, line }: Block, file: string, begun: boolean): ReadEntry | undefined {
  const [record] = recordsOf(bytes, file, { firstLine: line, begun });
  if (!record) return undefined;
  if (record.kind !== "content") throw changeRecord(record, file);
  const { dn, attributes } = record;
  return { entry: { uuid: uuidOf(dn, attributes), dn, attributes }, distinct: distinctDn(dn) };
}

const changeRecord = ({ dn, line }: LdifRecord, file: string): UserError =>
  wrongAt(
    file,
    line,
    `"${dn}" is a change record, and entries are expected here; use \`trigger plan\` to see what it would do, or apply it to the directory`,
  );
