import { ReadAgain } from "./read-again.ts";

/** The delivered entries, each with its name as written. Each change of the directory is compared with them. */
export class Delivered {
  readonly #names = new Map<string, string>();
  readonly #bearers = new Map<string, string>();

  /** Records a delivered entry; says if it is new, renamed, or has the same name as before. */
  put(uuid: string, dn: string): "new" | "renamed" | "same" {
    const before = this.#names.get(uuid);
    if (before === dn) return "same";
    const bearer = this.#bearers.get(dn);
    // A directory never has two entries of one name. A reading ahead of the changes can show two, and the mirror would drop one.
    if (bearer !== undefined && bearer !== uuid) throw new ReadAgain(`two entries are called ${dn}`);
    if (before !== undefined && this.#bearers.get(before) === uuid) this.#bearers.delete(before);
    this.#names.set(uuid, dn);
    this.#bearers.set(dn, uuid);
    return before === undefined ? "new" : "renamed";
  }

  uuids(): Iterable<string> {
    return this.#names.keys();
  }

  /** The name of an entry at its last delivery. An entry below a renamed one has another name by now. */
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
