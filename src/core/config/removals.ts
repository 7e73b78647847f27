import { z } from "zod";
import { expected, named, options, yesOrNo } from "./options.ts";

/** The rows of a service that may go from a host within an hour before a person is asked: `atMost`, or `share` where that is more. */
export interface RemovalLimit {
  /** A number of rows, 0 or more; 50 by default. */
  readonly atMost?: number;
  /** A share of the rows in force, 0 to 1; 0.1 by default. */
  readonly share?: number;
  /** True: the last row may go like any other, and none is in force. False by default, at any limit. */
  readonly mayEmpty?: boolean;
}

/** The limits of every service, and of those that differ. */
export interface Removals extends RemovalLimit {
  /** Services with limits of their own; what one leaves out is as above. */
  readonly of?: { readonly [service: string]: RemovalLimit };
}

const defaults = { atMost: 50, share: 0.1 };

/** How many removals a table of so many rows in force may have in an hour. */
export function removalsAllowed({ of = {}, ...general }: Removals, service: string, rows: number): number {
  const { atMost, share } = { ...defaults, ...general, ...of[service] };
  return Math.max(atMost, Math.floor(share * rows));
}

/** True if the last row of a table may go without a question. */
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
