/** Thrown when what was read and what is told do not fit together: the directory is read whole again, at once. */
export class ReadAgain extends Error {
  override name = "ReadAgain";
}

/** The delivered entries, each with its name as it is written: a change of the directory is judged by them. */
export class Delivered {
  readonly #names = new Map<string, string>();
  readonly #bearers = new Map<string, string>();

  /** Takes an entry as it is delivered; gives whether it is new, has another name than before, or the same. */
  put(uuid: string, dn: string): "new" | "renamed" | "same" {
    const before = this.#names.get(uuid);
    if (before === dn) return "same";
    const bearer = this.#bearers.get(dn);
    // A directory never has two entries of one name. What was read a moment ahead of the changes can seem to; the mirror would let one go.
    if (bearer !== undefined && bearer !== uuid) throw new ReadAgain(`two entries are called ${dn}`);
    if (before !== undefined && this.#bearers.get(before) === uuid) this.#bearers.delete(before);
    this.#names.set(uuid, dn);
    this.#bearers.set(dn, uuid);
    return before === undefined ? "new" : "renamed";
  }

  uuids(): Iterable<string> {
    return this.#names.keys();
  }

  /** The name of an entry as it was delivered last. One that was carried along with a renamed parent has another by now. */
  name(uuid: string): string | undefined {
    return this.#names.get(uuid);
  }

  delete(uuid: string): void {
    const name = this.#names.get(uuid);
    if (name === undefined) return;
    this.#names.delete(uuid);
    if (this.#bearers.get(name) === uuid) this.#bearers.delete(name);
  }
}
