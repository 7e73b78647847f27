import type { Attributes, Value } from "../../core/directory/entry.ts";

/** The records of LDIF (RFC 2849). */

/** The beginning of every record. */
export interface About {
  /** The DN as written. */
  readonly dn: string;
  /** The line of the DN. */
  readonly line: number;
}

/** An entry. */
export type ContentRecord = About & { readonly kind: "content"; readonly attributes: Attributes };

/** A change to an entry. */
export type ChangeRecord =
  | (About & { readonly kind: "add"; readonly attributes: Attributes })
  | (About & { readonly kind: "delete" })
  | (About & { readonly kind: "modify"; readonly modifications: readonly Modification[] })
  | (About & {
      readonly kind: "rename";
      readonly newRdn: string;
      readonly deleteOldRdn: boolean;
      /** The DN of the new parent; the same parent if undefined. */
      readonly newSuperior?: string;
    });

export type LdifRecord = ContentRecord | ChangeRecord;

/** One step of a modify record. */
export interface Modification {
  readonly kind: "add" | "delete" | "replace";
  readonly attribute: string;
  readonly values: readonly Value[];
  readonly line: number;
}
