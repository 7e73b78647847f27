import { Multimap } from "../mirror/multimap.ts";
import type { Read, ReadSet } from "../mirror/read-set.ts";

/** The read sets of one service's entries, by UUID, and for each read the entries that depend on it. */
export class Dependencies {
  readonly #readers = new Multimap();
  readonly #reads = new Map<string, readonly Read[]>();

  /** Replaces the read set of an entry. */
  set(uuid: string, reads: ReadSet): void {
    const before = this.#reads.get(uuid) ?? [];
    for (const read of before) if (!reads.has(read)) this.#readers.delete(read, uuid);
    for (const read of reads) this.#readers.add(read, uuid);
    if (reads.size > 0) this.#reads.set(uuid, [...reads]);
    else this.#reads.delete(uuid);
  }

  /** The entries with a read in their read set. */
  readers(read: Read): Iterable<string> {
    return this.#readers.get(read);
  }

  /** The read set of an entry. */
  readsOf(uuid: string): readonly Read[] {
    return this.#reads.get(uuid) ?? [];
  }
}
