import fc from "fast-check";

/** The halves of a surrogate pair lie between these two code points. They are no characters, and stand in no UTF-8. */
const [firstHalf, halves] = [0xd800, 0x800];

/**
 * The unit of an `fc.string` of any characters. It draws what fast-check's own unit `"binary"` draws from the same seed;
 * that one first writes a table of all 1.1 million characters, in a second of each process.
 */
export const anyCharacter: fc.Arbitrary<string> = fc.nat(0x10ffff - halves).map(
  (index) => String.fromCodePoint(index < firstHalf ? index : index + halves),
  (character) => {
    const code = typeof character === "string" && [...character].length === 1 ? (character.codePointAt(0) ?? -1) : -1;
    if (code < 0 || (code >= firstHalf && code < firstHalf + halves)) throw new Error("not one character");
    return code < firstHalf ? code : code - halves;
  },
);

/** Any text, up to a number of characters. */
export const anyText = (constraints: Omit<fc.StringConstraints, "unit"> = {}): fc.Arbitrary<string> =>
  fc.string({ ...constraints, unit: anyCharacter });
