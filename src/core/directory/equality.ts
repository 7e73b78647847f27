import { exactValue, normalValue } from "./values.ts";

/** The equality rules of LDAP (RFC 4517, 4.2), as OpenLDAP applies them to text. */

/**
 * A rule of equality. `name` is distinguishedNameMatch, and `nameAndBits` uniqueMemberMatch: their form is made in
 * `dn.ts`. `octets` also stands for rules whose values have one form only (integerMatch).
 */
export type Equality = TextEquality | NameEquality;

/** A rule by which names of entries are compared, alone or with bits behind them. */
export type NameEquality = "name" | "nameAndBits";

/** A rule whose form needs no other rule. */
export type TextEquality = keyof typeof forms;

/** Makes the form of a text by a rule: two texts are equal by it exactly if their forms are identical. */
export const formBy = (rule: TextEquality, text: string): string => forms[rule](text);

const forms = {
  ignoringCase: normalValue,
  exactCase: exactValue,
  octets: (text: string): string => text,
  /** The rule where no server is known: values that every server which ignores case takes for equal. */
  asciiCase: (text: string): string =>
    text
      .replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
      .replace(/ {2,}/g, " ")
      .replace(/^ | $/g, ""),
  digits: (text: string): string => text.replaceAll(" ", ""),
  telephone: (text: string): string => text.replace(/[ -]/g, ""),
  // A line of spaces is another one than an empty line.
  lines: (text: string): string =>
    text
      .split("$")
      .map((line) => normalValue(line) || line.slice(0, 1))
      .join("$"),
  time: timeForm,
};

/** The rules by their names in a schema and their object identifiers (RFC 4517; RFC 4530 for UUIDs). */
const rules: ReadonlyMap<string, Equality> = new Map(
  Object.entries({
    ignoringCase: [
      ...["caseignorematch", "2.5.13.2", "caseignoreia5match", "1.3.6.1.4.1.1466.109.114.2"],
      // The texts of these have no case, or one that does not count.
      ...["booleanmatch", "2.5.13.13", "objectidentifiermatch", "2.5.13.0", "uuidmatch", "1.3.6.1.1.16.2"],
    ],
    exactCase: ["caseexactmatch", "2.5.13.5", "caseexactia5match", "1.3.6.1.4.1.1466.109.114.1"],
    octets: ["octetstringmatch", "2.5.13.17", "bitstringmatch", "2.5.13.16", "integermatch", "2.5.13.14"],
    digits: ["numericstringmatch", "2.5.13.8"],
    telephone: ["telephonenumbermatch", "2.5.13.20"],
    lines: ["caseignorelistmatch", "2.5.13.11"],
    time: ["generalizedtimematch", "2.5.13.27"],
    name: ["distinguishednamematch", "2.5.13.1"],
    nameAndBits: ["uniquemembermatch", "2.5.13.23"],
  } satisfies Record<Exclude<Equality, "asciiCase">, string[]>).flatMap(([rule, names]) =>
    names.map((name) => [name, rule as Equality]),
  ),
);

/** The rule that a schema calls so, by its name in any case or its object identifier; undefined for any other. */
export const equalityCalled = (written: string): Equality | undefined => rules.get(written.toLowerCase());

const time = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)?(\d\d)?(?:[.,](\d+))?(?:Z|([+-])(\d\d)(\d\d)?)$/;

/**
 * The instant of a generalized time (RFC 4517, 3.3.13): its second, and the digits of the fraction. A text that is none
 * stays as it is. OpenLDAP takes a fraction of a minute or an hour for one of a second.
 */
function timeForm(text: string): string {
  const [found, year, month, day, hour, minute, second, fraction, sign, hours, minutes] = time.exec(text) ?? [];
  if (found === undefined) return text;
  const at = new Date(0);
  at.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  const exists = at.getUTCMonth() === Number(month) - 1 && at.getUTCDate() === Number(day);
  if (!exists || Number(hour) > 23 || Number(minute ?? 0) > 59) return text;
  const offset = (sign === "-" ? 60_000 : -60_000) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0));
  at.setTime(at.getTime() + Number(hour) * 3_600_000 + Number(minute ?? 0) * 60_000 + offset);
  return `${at.getTime() / 1000 + Number(second ?? 0)}.${fraction?.replace(/0+$/, "") ?? ""}`;
}
