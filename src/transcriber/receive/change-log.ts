import { plainLine } from "../../core/util/shown.ts";
import type { TableChanges } from "../tables/transcription.ts";
import type { Attribution } from "./attribution.ts";

/** The most entries of one change that wait for their events: a refresh may change all of them. */
const mostAttributed = 100;

/** The log lines of a change, one for each service: "dhcp: 2 rows changed by cn=box (alice: a new laptop)". */
export function changeLines(
  { services, entries }: TableChanges,
  attribution: Pick<Attribution, "addChange">,
  now: number,
): string[] {
  const first = [...entries].slice(0, mostAttributed);
  const [named] = first.map(([uuid, dn]) => {
    const by = attribution.addChange(uuid, dn, now);
    return `${plainLine(dn, 200)}${by ? ` (${by})` : ""}`;
  });
  const others = entries.size - 1;
  const cause = named === undefined ? "the clock" : `${named}${others > 0 ? ` and ${others} more` : ""}`;
  return [...services].map(
    ([service, { length }]) => `${service}: ${length} ${length === 1 ? "row" : "rows"} changed by ${cause}`,
  );
}
