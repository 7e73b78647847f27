/**
 * Characters that OpenLDAP compares unchanged, although today's Unicode folds or decomposes them: its tables are of
 * Unicode 3.
 */

// Characters without case and without a compatible form there. values-slapd.test.ts compares this list with a real slapd.
const unknown = [
  "23a-24e 370-372 376 37f 3cf 3f7-3ff 4c0 4f6 4fa-4fe 510-52e 10a0-10fc 13a0-13f5",
  "1c89-1dbf 1e9e 1efa-1efe 2090-209c 2132 213b 213c 2150-2152 2183-2189 2c00-2d6f 321d-321e 3244-3247",
  "3250 327c-327e 32cc-32cf 32ff 3377-337a 33de-33df 33ff a640-a7f9 ab5c-ab69 f900-f901 fa2e-fa2f fa6b-fad9",
  "fe10-fe19 fe47-fe48 10426-10595 10781-107ba 10c80-10d65 118a0-118bf 16e40-16eb8 1ccd6-1ccf9 1d4c1 1d60f-1d7ff 1e030-1e06d 1e900-1e921",
  "1ee00-1eebb 1f100-1f251 1fbf0-1fbf9 2f800-2fa1d",
];
const later = new RegExp(
  `[${unknown
    .join(" ")
    .replace(/[0-9a-f]+/g, "\\u{$&}")
    .replaceAll(" ", "")}]`,
  "u",
);
// Roman numerals and circled letters: OpenLDAP takes them for no letters, and so without case.
const caseless = /[\u2160-\u216f\u24b6-\u24cf]/;

/** True if a character stays unchanged where case counts. */
export const isLater = (character: string): boolean => later.test(character);

/**
 * True if a character stays unchanged where case does not count. Folding comes before decomposition: `™` and `ℋ` would
 * leave capitals, which are not `tm` and `h`.
 */
export const isUnfolded = (character: string): boolean =>
  later.test(character) || caseless.test(character) || /\p{Lu}/u.test(character.toLowerCase().normalize("NFKC"));
