/** The most namesakes of one name that are listed. */
const mostListed = 3;

/** Names entries that may have one name, the oldest first. It answers for every spelling that is none of theirs. */
export function sayNamesakes(dns: readonly string[]): string {
  const [oldest = ""] = dns;
  const more = dns.length - mostListed;
  const listed = [...dns.slice(0, mostListed), ...(more > 0 ? [`${more} more`] : [])].join(" and ");
  return `${listed} may be one name, by a rule that is unknown here: any other spelling means ${oldest}, the oldest`;
}
