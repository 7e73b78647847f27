const none: readonly string[] = [];

/**
 * A map from texts to sets of texts. A single value is stored without a set: most of hundreds of thousands are single.
 */
export class Multimap {
  readonly #values = new Map<string, string | Set<string>>();

  add(key: string, value: string): void {
    const held = this.#values.get(key);
    if (held === undefined) this.#values.set(key, value);
    else if (typeof held !== "string") held.add(value);
    else if (held !== value) this.#values.set(key, new Set([held, value]));
  }

  delete(key: string, value: string): void {
    const held = this.#values.get(key);
    if (held === value) this.#values.delete(key);
    if (held === undefined || typeof held === "string") return;
    held.delete(value);
    const [last] = held;
    if (held.size === 1 && last !== undefined) this.#values.set(key, last);
  }

  /** The values of a key, in no particular order. */
  get(key: string): Iterable<string> {
    const held = this.#values.get(key);
    if (held === undefined) return none;
    return typeof held === "string" ? [held] : held;
  }

  count(key: string): number {
    const held = this.#values.get(key);
    if (held === undefined) return 0;
    return typeof held === "string" ? 1 : held.size;
  }
}
