/** A look is what an evaluation asked of the directory, named so that a change can find who asked. What was not there is a look too. */
export type Look = string;

/** Whether a value is compared as text or as the name of an entry. */
export type Comparison = "text" | "dn";

export const contentLook = (uuid: string): Look => `entry ${uuid}`;
export const nameLook = (dn: string): Look => `named ${dn}`;
export const childrenLook = (dn: string): Look => `below ${dn}`;
export const whereLook = (comparison: Comparison, attribute: string, value: string): Look =>
  `${comparison} ${attribute} ${value}`;

/** A look for people: `dnOf` gives the DN of an entry that exists. */
export function sayLook(look: Look, dnOf: (uuid: string) => string | undefined): string {
  const [kind, rest] = firstWord(look);
  if (kind === "entry") return `the content of ${dnOf(rest) ?? `${rest} (gone)`}`;
  if (kind === "named") return `the entry named ${rest}`;
  if (kind === "below") return `the entries directly below ${rest}`;
  const [attribute, value] = firstWord(rest);
  return kind === "dn"
    ? `the entries whose ${attribute} names ${value}`
    : `the entries with ${attribute} ${JSON.stringify(value)}`;
}

function firstWord(text: string): [word: string, rest: string] {
  const space = text.indexOf(" ");
  return [text.slice(0, space), text.slice(space + 1)];
}
