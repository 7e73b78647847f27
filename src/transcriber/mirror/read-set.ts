/** One question of an evaluation to the directory, as a key. A question without an answer is a read, too. */
export type Read = string;

/** The reads of one evaluation. A change uses them to find the entries to evaluate again. */
export type ReadSet = ReadonlySet<Read>;

/** The rule by which a value is compared: as text, or as the name of an entry. */
export type Comparison = "text" | "dn";

export const contentRead = (uuid: string): Read => `entry ${uuid}`;
export const nameRead = (dn: string): Read => `named ${dn}`;
export const childrenRead = (dn: string): Read => `below ${dn}`;
export const valueRead = (comparison: Comparison, attribute: string, value: string): Read =>
  `${comparison} ${attribute} ${value}`;

/** A read as text for people. `dnOf` returns the DN of an existing entry. */
export function describeRead(read: Read, dnOf: (uuid: string) => string | undefined): string {
  const [kind, rest] = splitWord(read);
  if (kind === "entry") return `the content of ${dnOf(rest) ?? `${rest} (removed)`}`;
  if (kind === "named") return `the entry named ${rest}`;
  if (kind === "below") return `the entries directly below ${rest}`;
  const [attribute, value] = splitWord(rest);
  return kind === "dn"
    ? `the entries whose ${attribute} names ${value}`
    : `the entries with ${attribute} ${JSON.stringify(value)}`;
}

function splitWord(text: string): [word: string, rest: string] {
  const space = text.indexOf(" ");
  return [text.slice(0, space), text.slice(space + 1)];
}
