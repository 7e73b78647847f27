import { plainLine } from "../util/shown.ts";

/** The most namesakes of one name that are listed, and the most characters of each. */
const most = { listed: 3, characters: 200 };

/** Names entries that may have one name, the oldest first. It answers for every spelling that is none of theirs. */
export function sayNamesakes(dns: readonly string[]): string {
  const [oldest = "", ...others] = dns.slice(0, most.listed).map((dn) => plainLine(dn, most.characters));
  const more = dns.length - most.listed;
  const listed = [oldest, ...others, ...(more > 0 ? [`${more} more`] : [])].join(" and ");
  return `${listed} may be one name, by a rule that is unknown here: any other spelling means ${oldest}, the oldest`;
}
