import { Multimap } from "../mirror/multimap.ts";
import type { Look } from "../mirror/read-set.ts";

/** Who looked at what: entries by uuid, of one service. */
export class Dependencies {
  readonly #lookers = new Multimap();
  readonly #looks = new Map<string, readonly Look[]>();

  /** Replaces what an entry's evaluation looked at. */
  set(uuid: string, looks: ReadonlySet<Look>): void {
    const before = this.#looks.get(uuid) ?? [];
    for (const look of before) if (!looks.has(look)) this.#lookers.delete(look, uuid);
    for (const look of looks) this.#lookers.add(look, uuid);
    if (looks.size > 0) this.#looks.set(uuid, [...looks]);
    else this.#looks.delete(uuid);
  }

  lookers(look: Look): Iterable<string> {
    return this.#lookers.get(look);
  }

  of(uuid: string): readonly Look[] {
    return this.#looks.get(uuid) ?? [];
  }
}
