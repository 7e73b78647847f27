import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { command, startSlapd } from "../../../test/servers/slapd.ts";
import { exactValue, normalValue } from "./values.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const escaped = (text: string): string => Buffer.from(text).toString("hex").replace(/../g, "\\$&");

/** The pairs of values that a real slapd lets coexist, as entries below one parent, by their place. */
async function bothExist(attribute: string, pairs: readonly (readonly [string, string])[]): Promise<Set<number>> {
  await using slapd = await startSlapd({ syncprov: false });
  const entry = (name: string, place: number, which: string): string =>
    `dn: ${attribute}=${escaped(name)},ou=${place},${slapd.base}\nobjectClass: device\nobjectClass: campusMember\ncn: entry\n${attribute}:: ${base64(name)}\ndescription: ${which}${place}\n\n`;
  const ldif = pairs.map(
    ([one, other], place) =>
      `dn: ou=${place},${slapd.base}\nobjectClass: organizationalUnit\nou: ${place}\n\n${entry(one, place, "one")}${entry(other, place, "other")}`,
  );
  const bind = ["-x", "-H", slapd.url, "-D", slapd.adminDn, "-w", slapd.password];
  try {
    execFileSync(command("ldapadd"), ["-c", ...bind], { input: ldif.join(""), stdio: "pipe", maxBuffer: 1 << 28 });
  } catch {
    // The existing entries are the answer.
  }
  const content = slapd.slapcat();
  const places = (which: string): Set<number> =>
    new Set([...content.matchAll(new RegExp(`^description: ${which}(\\d+)$`, "gm"))].map(([, place]) => Number(place)));
  assert.equal(places("one").size, pairs.length, "slapd took the first of each pair");
  return places("other");
}

const show = (text: string): string => [...text].map((one) => `U+${one.codePointAt(0)?.toString(16)}`).join(" ");

function compare(
  pairs: readonly (readonly [string, string])[],
  both: ReadonlySet<number>,
  form: (text: string) => string,
): void {
  const wrong = pairs.filter(([one, other], place) => (form(one) !== form(other)) !== both.has(place));
  assert.deepEqual(
    wrong.map(
      ([one, other]) => `${show(one)} and ${show(other)}: ${form(one) === form(other) ? "one to us" : "two to us"}`,
    ),
    [],
  );
}

const invisible = [
  "\u00ad",
  "\u200b",
  "\u200d",
  "\u202e",
  "\u2066",
  "\ufe00",
  "\ufeff",
  "\u034f",
  "\u061c",
  "\u0001",
  "\t",
  "\n",
  "\u007f",
  "\u0085",
  "\u{e0001}",
];
const spaces = ["\u00a0", "\u1680", "\u2000", "\u2009", "\u2028", "\u202f", "\u205f", "\u3000", "  ", "\t", " \u00a0"];
const told: readonly (readonly [string, string])[] = [
  ...invisible.map((one) => ["router", `rou${one}ter`] as const),
  ...spaces.map((one) => ["a b", `a${one}b`] as const),
  ...([
    ["router", " router "],
    ["Router", "rOUTER"],
    ["ÉCOLE", "e\u0301cole"],
    ["Straße", "STRASSE"],
    ["ΟΔΟΣ", "οδος"],
    ["ΟΔΟΣ", "οδοσ"],
  ] as const),
  ...([
    ["ﬁle", "file"],
    ["ａ", "A"],
    ["²", "2"],
    ["ı", "i"],
    ["İ", "i"],
    ["K", "k"],
    ["Å", "å"],
    ["™", "tm"],
    ["Ⅳ", "iv"],
    ["ẞ", "ß"],
  ] as const),
  ...([
    ["가", "\u1100\u1161"],
    ["각", "\u1100\u1161\u11a8"],
    ["q\u0323\u0307", "q\u0307\u0323"],
    ["ſ", "s"],
    ["ϐ", "β"],
    ["µ", "μ"],
  ] as const),
];

test("slapd lets two names exist exactly where we tell them apart: listed pairs", async () => {
  compare(told, await bothExist("cn", told), normalValue);
  compare(told, await bothExist("paidUntil", told), exactValue);
});

test("slapd and we agree on every character that Unicode folds, takes apart or hides", async () => {
  const pairs: (readonly [string, string])[] = [];
  for (let point = 1; point <= 0x2ffff; point++) {
    const character = String.fromCodePoint(point);
    if (/[\p{Cs}\p{Co}\p{Cn}]/u.test(character)) continue;
    for (const form of [
      character.toLowerCase(),
      character.normalize("NFKC"),
      character.toLowerCase().normalize("NFKC"),
    ])
      if (form !== character) pairs.push([`x${form}y`, `x${character}y`]);
    if (/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u.test(character)) pairs.push(["xy", `x${character}y`]);
  }
  const distinct = [...new Map(pairs.map((pair) => [pair.join("\0"), pair])).values()];
  compare(distinct, await bothExist("cn", distinct), normalValue);
  compare(distinct, await bothExist("paidUntil", distinct), exactValue);
});
