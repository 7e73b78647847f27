import type { Table } from "../../core/service/service.ts";
import { claimsOf } from "../../core/service/unique.ts";
import type { Columns } from "../../core/util/json.ts";
import { plainLine } from "../../core/util/shown.ts";
import { Multimap } from "../mirror/multimap.ts";

/** How many claimants a refusal names. */
const named = 3;

/**
 * Which rows claim which values of a service's unique columns. Of several claims to one value all are refused:
 * so no order of arrival decides, and nobody's address can be taken by claiming it.
 */
export class Claims {
  readonly #unique: readonly string[];
  readonly #secret: readonly string[];
  readonly #claimants = new Multimap();
  readonly #claims = new Map<string, { dn: string; values: readonly string[] }>();
  /** The words on a contested value, until a claim to it moves: each of its claimants is refused with them. */
  readonly #said = new Map<string, string>();
  #touched = new Set<string>();

  constructor({ unique = [], secret = [] }: Pick<Table, "unique" | "secret">) {
    this.#unique = unique;
    this.#secret = secret;
  }

  /** Says what the row of a key claims, or that the key has no row any more. */
  set(key: string, claimant: { readonly dn: string; readonly row: Columns } | undefined): void {
    if (this.#unique.length === 0) return;
    for (const value of this.#claims.get(key)?.values ?? []) {
      this.#claimants.delete(value, key);
      this.#touch(value);
    }
    this.#claims.delete(key);
    if (!claimant) return;
    const values = claimsOf(this.#unique, claimant.row);
    for (const value of values) {
      this.#claimants.add(value, key);
      this.#touch(value);
    }
    this.#claims.set(key, { dn: claimant.dn, values });
  }

  /** The keys whose conflicts may have changed since this was last asked. */
  *moved(): Generator<string> {
    for (const value of this.#touched) yield* this.#claimants.get(value);
    this.#touched = new Set();
  }

  /** Why the row of a key is refused, if another claims a value of it. */
  conflict(key: string): string | undefined {
    const contested = this.#claims.get(key)?.values.filter((value) => this.#claimants.count(value) > 1) ?? [];
    return contested.length === 0 ? undefined : plainLine(contested.map((value) => this.#say(value)).join("; "), 1000);
  }

  #touch(value: string): void {
    this.#touched.add(value);
    this.#said.delete(value);
  }

  #say(claimed: string): string {
    const known = this.#said.get(claimed);
    if (known !== undefined) return known;
    const said = this.#sayNow(claimed);
    this.#said.set(claimed, said);
    return said;
  }

  #sayNow(claimed: string): string {
    const space = claimed.indexOf(" ");
    const column = claimed.slice(0, space);
    const value = this.#secret.includes(column) ? "a secret value" : plainLine(claimed.slice(space + 1), 80);
    const keys = [...this.#claimants.get(claimed)];
    const claimants = keys.map((key) => plainLine(this.#claims.get(key)?.dn ?? key, 200)).sort();
    const first = claimants.slice(0, named);
    const more = claimants.length - first.length;
    return `${column}: ${value} is claimed by ${first.join(" and ")}${more > 0 ? ` and ${more} more` : ""}`;
  }
}
