import type { Table } from "../../core/service/service.ts";
import { claimsOf } from "../../core/service/unique.ts";
import type { Columns } from "../../core/util/json.ts";
import { plainLine } from "../../core/util/shown.ts";
import { Multimap } from "../mirror/multimap.ts";

/** The most claimants that a refusal names. */
const mostNamed = 3;
/** The longest reason of a refusal, in characters, and the number of contested values that certainly fill it. */
const [longestReason, mostReasons] = [1_000, 50];

/** A row that claims its values. */
export interface Claimant {
  readonly dn: string;
  readonly row: Columns;
  /** True if an administrator blessed the row's entry. */
  readonly blessed?: boolean;
}

/**
 * The claims of rows to values of a service's unique columns. If one blessed row is among those that claim a value, the
 * others are refused. Otherwise all are: so the order of arrival decides nothing, and no row can take an address by
 * claiming it.
 */
export class UniqueClaims {
  readonly #unique: readonly string[];
  readonly #secret: readonly string[];
  readonly #claimants = new Multimap();
  /** The blessed ones among them. */
  readonly #blessed = new Multimap();
  readonly #claims = new Map<string, { dn: string; values: readonly string[] }>();
  /** The reason that refuses the claimants of a contested value, until a claim to the value changes. */
  readonly #reasons = new Map<string, string>();
  #changed = new Set<string>();

  constructor({ unique = [], secret = [] }: Pick<Table, "unique" | "secret">) {
    this.#unique = unique;
    this.#secret = secret;
  }

  /** Sets the claims of a key's row; undefined if the key no longer has a row. */
  set(key: string, claimant: Claimant | undefined): void {
    if (this.#unique.length === 0) return;
    for (const value of this.#claims.get(key)?.values ?? []) {
      this.#claimants.delete(value, key);
      this.#blessed.delete(value, key);
      this.#change(value);
    }
    this.#claims.delete(key);
    if (!claimant) return;
    const values = claimsOf(this.#unique, claimant.row);
    for (const value of values) {
      this.#claimants.add(value, key);
      if (claimant.blessed) this.#blessed.add(value, key);
      this.#change(value);
    }
    this.#claims.set(key, { dn: claimant.dn, values });
  }

  /** The keys whose conflicts may have changed since the last call. */
  *changed(): Generator<string> {
    for (const value of this.#changed) yield* this.#claimants.get(value);
    this.#changed = new Set();
  }

  /** The reason why the row of a key is refused: another row claims one of its values. Undefined if none does. */
  conflict(key: string): string | undefined {
    const isContested = (value: string): boolean => this.#claimants.count(value) > 1 && this.#winner(value) !== key;
    const contested = this.#claims.get(key)?.values.filter(isContested) ?? [];
    if (contested.length === 0) return undefined;
    const reasons = contested.slice(0, mostReasons).map((value) => this.#reason(value));
    return plainLine(reasons.join("; "), longestReason);
  }

  /** The key of the one blessed row that claims a value; undefined if there is none, or several. */
  #winner(value: string): string | undefined {
    const [first, second] = this.#blessed.get(value);
    return second === undefined ? first : undefined;
  }

  #change(value: string): void {
    this.#changed.add(value);
    this.#reasons.delete(value);
  }

  #reason(claimed: string): string {
    const known = this.#reasons.get(claimed);
    if (known !== undefined) return known;
    const reason = this.#describe(claimed);
    this.#reasons.set(claimed, reason);
    return reason;
  }

  #describe(claimed: string): string {
    const space = claimed.indexOf(" ");
    const column = claimed.slice(0, space);
    const value = this.#secret.includes(column) ? "a secret value" : plainLine(claimed.slice(space + 1), 80);
    const nameOf = (key: string): string => plainLine(this.#claims.get(key)?.dn ?? key, 200);
    const winner = this.#winner(claimed);
    if (winner !== undefined) return `${column}: ${value} is kept by ${nameOf(winner)} (option claims)`;
    const claimants = [...this.#claimants.get(claimed)].map(nameOf).sort();
    const first = claimants.slice(0, mostNamed);
    const more = claimants.length - first.length;
    return `${column}: ${value} is claimed by ${first.join(" and ")}${more > 0 ? ` and ${more} more` : ""}`;
  }
}
