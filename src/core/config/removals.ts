import { z } from "zod";
import { expected, named, options, yesOrNo } from "./options.ts";

/**
 * The rows of a service that a host removes within an hour without asking a person: `atMost`, or `share` if that is
 * more.
 */
export interface RemovalLimit {
  /** A number of rows, 0 or more; 50 by default. */
  readonly atMost?: number;
  /** A share of the applied rows, 0 to 1; 0.1 by default. */
  readonly share?: number;
  /** True: the last row may be removed like any other, at any limit. False by default. */
  readonly mayEmpty?: boolean;
}

/** The limits of all services, and of the services that differ. */
export interface Removals extends RemovalLimit {
  /** Services with limits of their own; an option that one leaves out has the general value. */
  readonly of?: { readonly [service: string]: RemovalLimit };
}

const defaults = { atMost: 50, share: 0.1 };

/** The most removals within an hour, of a table with this number of applied rows. */
export function removalsAllowed({ of = {}, ...general }: Removals, service: string, rows: number): number {
  const { atMost, share } = { ...defaults, ...general, ...of[service] };
  return Math.max(atMost, Math.floor(share * rows));
}

/** True if the last row of a table may be removed without a question. */
export const mayBeEmptied = ({ of = {}, ...general }: Removals, service: string): boolean =>
  of[service]?.mayEmpty ?? general.mayEmpty ?? false;

const limit = {
  atMost: expected("a number of rows, 0 or more", z.int().min(0)).optional(),
  share: expected("a share of the rows, 0 to 1", z.number().min(0).max(1)).optional(),
  mayEmpty: yesOrNo.optional(),
};

/** The schema of `removals`. */
export const removalsSchema = options<Removals>({
  ...limit,
  of: named(options<RemovalLimit>(limit), "{ service: { … } }").optional(),
});
