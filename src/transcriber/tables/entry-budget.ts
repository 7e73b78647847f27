import type { EvaluationLimits } from "../../core/config/evaluation.ts";
import { Refusal } from "../../core/util/errors.ts";

/** The characters of a value whose comparison costs as much as that of a short one. */
const charactersOfComparison = 1_000;

/**
 * The counts of one evaluation. They depend on the directory alone, so each machine refuses the same entries. Without
 * them an entry of some kilobytes, with names times members, would make gigabytes of rows at each change.
 */
export class EntryBudget {
  readonly #limits: Required<EvaluationLimits>;
  #looks = 0;
  #comparisons = 0;
  #bytes = 0;
  #taken = 0;
  #over: string | undefined;

  constructor(limits: Required<EvaluationLimits>) {
    this.#limits = limits;
  }

  /** The reason to refuse the entry, even if `select` has caught it. Undefined within the limits. */
  get over(): string | undefined {
    return this.#over;
  }

  /** Counts entries and values that `select` reads. Throws a `Refusal` beyond the limit. */
  look(count: number): void {
    this.#looks += count;
    const { looks } = this.#limits;
    if (this.#looks > looks) this.#end(`select reads more than ${looks} entries and values: read fewer in select`);
  }

  /** Counts values that are compared, of some characters in all. Throws a `Refusal` beyond the limit. */
  compare(count: number, characters = 0): void {
    this.#comparisons += count + Math.floor(characters / charactersOfComparison);
    const { comparisons } = this.#limits;
    if (this.#comparisons > comparisons) this.#end(`the entry needs more than ${comparisons} comparisons: ${remedy}`);
  }

  /** Counts the next of the rows of an entry. Throws a `Refusal` beyond a limit. */
  row(bytes: number, rows: number): void {
    const most = this.#limits;
    if (rows > most.rows) this.#end(`the entry gives ${rows} rows, the limit is ${most.rows}: ${remedy}`);
    this.#taken += 1;
    this.#bytes += bytes;
    if (this.#bytes <= most.bytes) return;
    const first = `the first ${this.#taken} of the ${rows} rows of the entry have ${this.#bytes} bytes`;
    this.#end(`${first}, the limit is ${most.bytes}: ${remedy}`);
  }

  #end(why: string): never {
    this.#over ??= why;
    throw new Refusal(this.#over);
  }

  /** The bytes of a refused row: reading it has cost as much. */
  bytesOf(raw: unknown): number {
    try {
      return Buffer.byteLength(JSON.stringify(raw) ?? "");
    } catch {
      return this.#limits.bytes; // it cannot be measured: no second one is read
    }
  }
}

const remedy = "give fewer or smaller rows in select, or divide the entry";
