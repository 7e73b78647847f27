import { plainLine } from "../../core/util/shown.ts";
import type { Moved } from "../tables/transcription.ts";
import type { Attribution } from "./attribution.ts";

/** How many entries of a change are asked about: a refresh may name them all. */
const asked = 100;

/** What a change moved, a line for each service: "dhcp: 2 rows moved by cn=box (alice: a new laptop)". */
export function sayMoved({ services, entries }: Moved, attributed: Attribution, now: number): string[] {
  const first = [...entries].slice(0, asked);
  const [said] = first.map(([uuid, dn]) => {
    const by = attributed.changed(uuid, dn, now);
    return `${plainLine(dn, 200)}${by ? ` (${by})` : ""}`;
  });
  const others = entries.size - 1;
  const cause = said === undefined ? "the clock" : `${said}${others > 0 ? ` and ${others} more` : ""}`;
  return [...services].map(
    ([service, { length }]) => `${service}: ${length} ${length === 1 ? "row" : "rows"} moved by ${cause}`,
  );
}
