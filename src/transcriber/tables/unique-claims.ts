import type { Table } from "../../core/service/service.ts";
import { claimsOf } from "../../core/service/unique.ts";
import type { Columns } from "../../core/util/json.ts";
import { plainLine } from "../../core/util/shown.ts";
import { Multimap } from "../mirror/multimap.ts";

/** The most claimants that a refusal names. */
const mostNamed = 3;

/**
 * The claims of rows to values of a service's unique columns. All rows that claim one value are refused: so the order
 * of arrival decides nothing, and no row can take an address by claiming it.
 */
export class UniqueClaims {
  readonly #unique: readonly string[];
  readonly #secret: readonly string[];
  readonly #claimants = new Multimap();
  readonly #claims = new Map<string, { dn: string; values: readonly string[] }>();
  /** The reason that refuses each claimant of a contested value, until a claim to the value changes. */
  readonly #reasons = new Map<string, string>();
  #changed = new Set<string>();

  constructor({ unique = [], secret = [] }: Pick<Table, "unique" | "secret">) {
    this.#unique = unique;
    this.#secret = secret;
  }

  /** Sets the claims of a key's row; undefined if the key no longer has a row. */
  set(key: string, claimant: { readonly dn: string; readonly row: Columns } | undefined): void {
    if (this.#unique.length === 0) return;
    for (const value of this.#claims.get(key)?.values ?? []) {
      this.#claimants.delete(value, key);
      this.#change(value);
    }
    this.#claims.delete(key);
    if (!claimant) return;
    const values = claimsOf(this.#unique, claimant.row);
    for (const value of values) {
      this.#claimants.add(value, key);
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
    const contested = this.#claims.get(key)?.values.filter((value) => this.#claimants.count(value) > 1) ?? [];
    return contested.length === 0
      ? undefined
      : plainLine(contested.map((value) => this.#reason(value)).join("; "), 1000);
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
    const keys = [...this.#claimants.get(claimed)];
    const claimants = keys.map((key) => plainLine(this.#claims.get(key)?.dn ?? key, 200)).sort();
    const first = claimants.slice(0, mostNamed);
    const more = claimants.length - first.length;
    return `${column}: ${value} is claimed by ${first.join(" and ")}${more > 0 ? ` and ${more} more` : ""}`;
  }
}
