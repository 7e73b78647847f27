import { plainLine } from "../util/shown.ts";

/** An entry whose `select` did not end in time, or not yet. */
export interface UnfinishedEntry {
  readonly dn: string;
  /** The time of its first interruption, milliseconds since 1970. */
  readonly since: number;
}

/** The line about an entry whose `select` did not end in time, with the remedy. `since` is a time in words. */
export const unfinishedLine = (service: string, dn: string, since = ""): string =>
  `${service}: select does not end in time for ${plainLine(dn, 200)}${since}, so its rows stay as they are: ${remedy}`;

const remedy = "change the entry, or select; trigger tries again by itself";
