import type { Schema } from "../../core/directory/schema.ts";
import type { Clock } from "../../ports/clock.ts";
import { formsOf } from "./naming.ts";

/**
 * The times after which a removed name is searched for, in milliseconds. The overlay refint of slapd searches the whole
 * database for each name. Without an index it took 8 seconds for 200 deletions among 20,000 entries, and it has a
 * queue.
 */
const looks = [2_000, 20_000, 200_000, 2_000_000] as const;

/** The time within which removed names are collected for one search, in milliseconds. */
const together = 1_000;

interface Batch {
  readonly forms: Set<string>;
  readonly begun: number;
  /** The number of searches for the name so far. */
  looked: number;
}

/** The names of renamed and deleted entries, with the times of the searches for values that still have them. */
export class LeftNames {
  readonly #clock: Pick<Clock, "monotonic">;
  #batches: Batch[] = [];
  #notBefore = 0;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** True while a search is scheduled. */
  get waiting(): boolean {
    return this.#batches.length > 0;
  }

  get due(): boolean {
    const now = this.#clock.monotonic();
    return now >= this.#notBefore && this.#batches.some((batch) => dueAt(batch) <= now);
  }

  add(dn: string, schema?: Schema): void {
    const forms = formsOf(dn, schema);
    if (forms.length === 0) return;
    const now = this.#clock.monotonic();
    let last = this.#batches.at(-1);
    if (!last || last.looked > 0 || now - last.begun >= together) {
      last = { forms: new Set(), begun: now, looked: 0 };
      this.#batches.push(last);
    }
    for (const form of forms) last.forms.add(form);
  }

  /** Takes the forms of the names whose search is due. Each name is taken once for each of its searches. */
  take(): Set<string> {
    const now = this.#clock.monotonic();
    const forms = new Set<string>();
    for (const batch of this.#batches) {
      if (dueAt(batch) > now) continue;
      while (dueAt(batch) <= now) batch.looked += 1;
      for (const form of batch.forms) forms.add(form);
    }
    this.#batches = this.#batches.filter(({ looked }) => looked < looks.length);
    return forms;
  }

  /** Delays every search by a number of milliseconds. */
  rest(milliseconds: number): void {
    this.#notBefore = this.#clock.monotonic() + milliseconds;
  }
}

const dueAt = ({ begun, looked }: Batch): number => begun + together + (looks[looked] ?? Number.POSITIVE_INFINITY);
