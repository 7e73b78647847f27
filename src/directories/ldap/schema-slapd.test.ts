import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { Client, EqualityFilter } from "ldapts";
import { runs } from "../../../test/hostile.ts";
import { command, type Slapd, startSlapd } from "../../../test/servers/slapd.ts";
import { attributeName } from "../../core/directory/attributes.ts";
import { exactDn, normalDn } from "../../core/directory/dn.ts";
import { equalityCalled } from "../../core/directory/equality.ts";
import { comparable } from "../../core/directory/matching.ts";
import { schemaOf, standardSchema } from "../../core/directory/schema.ts";
import { type ServerSchema, serverSchema } from "./schema.ts";

type Pair = readonly [one: string, other: string];

/** A site's own attributes: no standard schema has them. */
const own = (place: number, names: string, rule: string, syntax: string): string =>
  `attributetype ( 1.3.6.1.4.1.4203.666.9.${place} NAME ${names} EQUALITY ${rule} SYNTAX 1.3.6.1.4.1.1466.115.121.1.${syntax} )`;
const sites = [
  own(1, "( 'siteRoom' 'siteRaum' )", "caseExactMatch", "15"),
  own(2, "'siteName'", "caseIgnoreMatch", "15"),
  own(3, "'siteFlag'", "booleanMatch", "7"),
  own(4, "'siteTime'", "generalizedTimeMatch", "24"),
  own(5, "'siteKind'", "objectIdentifierMatch", "38"),
  "attributetype ( 1.3.6.1.4.1.4203.666.9.6 NAME 'siteDoor' SUP siteRoom )",
  "attributetype ( 1.3.6.1.4.1.4203.666.9.7 NAME 'siteCode' EQUALITY UUIDMatch SYNTAX 1.3.6.1.1.16.1 )",
];

/** Characters that look alike, or that a rule may take for one: a second value differs from the first within a family. */
const families = {
  letters: [
    ["a", "A"],
    ["é", "É", "e\u0301", "E\u0301", "e"],
    ["ß", "ẞ", "ss", "SS"],
    ["s", "S", "ſ"],
    ["fi", "FI", "ﬁ"],
    ["2", "２", "²"],
    ["σ", "ς", "Σ"],
    ["i", "I", "ı", "İ", "i\u0307"],
    ["K", "k", "\u212a"],
    ["가", "\u1100\u1161"],
    ["b", "b\u00ad", "b\u200b", "b\u202e", "b\ufe00", "b\u0001", "b\u007f", "\ufeffb"],
    [" ", "  ", "   ", "\u00a0", "\u3000", "\t", "\n", ""],
    ["-", ",", "+", "#", "\\", '"', "$", "=", "\0"],
  ],
  ascii: [
    ["a", "A"],
    ["b", "B"],
    [" ", "  ", "   ", "\t", "\u0001", ""],
    ["-", "/", "@", "#", ",", "+", "$", "=", '"', "\\"],
  ],
  lines: [
    ["a", "A"],
    ["é", "É", "e\u0301"],
    [" ", "  ", ""],
    ["$", " $ ", " $", "$  ", "$$", "\\24"],
  ],
  digits: [["1"], ["2", "3"], [" ", "  ", ""]],
  telephone: [["1"], ["2"], [" ", "  ", "-", ""], ["x", "X"], ["(", ")"]],
};

const oneOf = (...values: string[]): fc.Arbitrary<string> => fc.constantFrom(...values);
const joined = (...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((texts) => texts.join(""));
/** Two values of a few that a syntax allows. */
const two = (value: fc.Arbitrary<string>): fc.Arbitrary<Pair> => fc.tuple(value, value);

/** A value of some families, and a second one with other members of the same families in a few places. */
const alike = (of: keyof typeof families): fc.Arbitrary<Pair> =>
  fc
    .array(
      fc.constantFrom(...families[of]).chain((family) => fc.tuple(oneOf(...family), oneOf(...family), fc.nat(2))),
      { minLength: 1, maxLength: 7 },
    )
    .map((places) => [
      places.map(([one]) => one).join(""),
      places.map(([one, other, same]) => (same ? one : other)).join(""),
    ]);

const types = {
  cn: ["cn", "CN", " commonName ", "2.5.4.3"],
  siteRoom: ["siteRoom", "SITERAUM", "1.3.6.1.4.1.4203.666.9.1"],
  uid: ["uid", "userid ", "UID"],
};
const ava = (type: keyof typeof types, ...values: string[]): fc.Arbitrary<string> =>
  joined(oneOf(...types[type]), oneOf("=", " = "), oneOf(...values));
/** One component of a name, in a few of its spellings. */
const component = fc.oneof(
  ava("cn", "a", "A", "\\61", " a ", "\\20a"),
  ava("siteRoom", "a", "A", "\\61 ", "\\ a"),
  joined(ava("cn", "a", "A"), oneOf("+", " + "), ava("siteRoom", "b", "\\62")),
  joined(ava("siteRoom", "b", "B"), oneOf("+"), ava("cn", "a", "A")),
  ava("cn", "a\\,b", "A\\2Cb", "a\\2c\\20b", "a\\+b", "a\\2Bb", "#0401 61", "\\#a", "\\23a"),
  ava("uid", "x", "X"),
);
const names = joined(component, oneOf(",dc=x", ", DC=X"));
const times = joined(
  oneOf("2026022823", "2026030100", "2026030101"),
  oneOf("", "00", "0000", "3000"),
  oneOf("", ".5", ".50", ",5", ".05"),
  oneOf("Z", "+0000", "+0100", "-0100", "+01"),
);
const codes = oneOf("0123abcd-0123-0123-89ab-0123456789ab", "0123ABCD-0123-0123-89AB-0123456789AB").chain((code) =>
  oneOf(code, code.replace("9", "8")),
);

/** The pairs that are tried of each attribute. */
const tried: Readonly<Record<string, fc.Arbitrary<Pair>>> = {
  cn: alike("letters"),
  siteName: alike("letters"),
  siteRoom: alike("letters"),
  siteDoor: alike("letters"),
  paidUntil: alike("letters"),
  userPassword: alike("letters"),
  postalAddress: alike("lines"),
  mail: alike("ascii"),
  homeDirectory: alike("ascii"),
  x121Address: alike("digits"),
  telephoneNumber: alike("telephone"),
  gidNumber: two(oneOf("0", "-1", "1", "10", "01", "-0")),
  x500UniqueIdentifier: two(oneOf("'0'B", "'00'B", "'1'B", "'10'B", "''B")),
  siteFlag: two(oneOf("TRUE", "FALSE")),
  siteTime: two(times),
  siteKind: two(oneOf("1.2.3", "1.2.3.4", "person", "Person", "2.5.6.6", "siteRoom")),
  siteCode: two(codes),
  seeAlso: two(names),
  uniqueMember: two(joined(names, oneOf("", "#'01'B", "#'1'B", "#''B"))),
};

const escaped = (text: string): string => Buffer.from(text).toString("hex").replace(/../g, "\\$&");

/** The schema that a slapd shows. */
function shownSchema(slapd: Slapd): ServerSchema {
  const search = ["-x", "-LLL", "-o", "ldif-wrap=no", "-H", slapd.url, "-b", "cn=Subschema", "-s", "base"];
  const found = execFileSync(command("ldapsearch"), [...search, "attributeTypes"], { encoding: "utf8" });
  return serverSchema([...found.matchAll(/^attributeTypes: (.*)$/gm)].map(([, text = ""]) => text));
}

test("the standard rules are those of slapd's schemas", async () => {
  await using slapd = await startSlapd({ syncprov: false });
  const { types, operational } = shownSchema(slapd);
  assert.ok(types.length > 150, `${types.length} attributes`);
  const own = new Set(["paiduntil", "bannedmember", "banstart", "banend"]);
  const wrong = types.filter(({ names, equality = "" }) => {
    const name = attributeName(names[0] ?? "");
    const rule = equalityCalled(equality);
    const known = standardSchema.equalityOf(name);
    return known === undefined ? rule !== undefined && !operational.includes(name) && !own.has(name) : known !== rule;
  });
  assert.deepEqual(
    wrong.filter(({ names: [name = ""] }) => !/^(?:olc|req)/.test(name)),
    [],
  );
});

/** A server's answer to a second name: another one, the same one, or none at all. */
type Verdict = "two" | "one" | "refused";

interface Asker {
  /** Adds two entries below a parent of their own. */
  names(one: string, other: string, attributes?: Attributes): Promise<Verdict>;
  /** True if a search below the last parent finds the first of the two entries by a value. */
  finds(attribute: string, value: string): Promise<boolean>;
  readonly parent: string;
}

type Attributes = readonly [one: Record<string, Buffer>, other: Record<string, Buffer>];

async function asker(slapd: Slapd, client: Client): Promise<Asker> {
  await client.bind(slapd.adminDn, slapd.password);
  let place = 0;
  const parent = (): string => `ou=${place},${slapd.base}`;
  const add = async (rdn: string, description: string, own: Record<string, Buffer> = {}): Promise<number> => {
    const entry = { objectClass: ["device", "extensibleObject"], cn: ["entry"], description, ...own };
    if (own.cn) entry.cn = own.cn as never;
    return await client.add(`${rdn},${parent()}`, entry as never).then(
      () => 0,
      (error) => (error as { code: number }).code,
    );
  };
  return {
    get parent() {
      return parent();
    },
    async names(one, other, [ofOne, ofOther] = [{}, {}]) {
      place += 1;
      await client.add(parent(), { objectClass: "organizationalUnit", ou: `${place}` });
      if ((await add(one, "one", ofOne)) !== 0) return "refused";
      const code = await add(other, "other", ofOther);
      return code === 0 ? "two" : code === 68 ? "one" : "refused";
    },
    async finds(attribute, value) {
      const filter = new EqualityFilter({ attribute, value: Buffer.from(value) as never });
      const found = await client.search(parent(), { scope: "one", filter, attributes: ["description"] });
      return found.searchEntries.some(({ description }) => description === "one");
    },
  };
}

test("slapd and we agree on thousands of pairs, by each attribute's rule", { timeout: 300_000 }, async () => {
  await using slapd = await startSlapd({ syncprov: false, schema: sites });
  const schema = schemaOf(shownSchema(slapd).types);
  const client = new Client({ url: slapd.url });
  const server = await asker(slapd, client);
  const wrong: string[] = [];
  const agree = (say: string, verdict: boolean, forms: readonly [string, string]): void => {
    if ((forms[0] === forms[1]) !== verdict) wrong.push(`${say}: ${verdict ? "one" : "two"} to slapd`);
  };
  try {
    for (const [attribute, arbitrary] of Object.entries(tried)) {
      const counts = { two: 0, one: 0, refused: 0 };
      for (const [one, other] of fc.sample(arbitrary, runs(250))) {
        const rdns = [`${attribute}=${escaped(one)}`, `${attribute}=${escaped(other)}`] as const;
        const values: Attributes = [{ [attribute]: Buffer.from(one) }, { [attribute]: Buffer.from(other) }];
        const verdict = await server.names(...rdns, values);
        counts[verdict] += 1;
        if (verdict === "refused") continue;
        const say = `${attribute}: ${JSON.stringify(one)} and ${JSON.stringify(other)}`;
        const forms = (form: typeof normalDn): [string, string] => [form(rdns[0], schema), form(rdns[1], schema)];
        agree(`${say} as names`, verdict === "one", forms(normalDn));
        agree(`${say} as exact names`, verdict === "one", forms(exactDn));
        const name = schema.nameOf(attribute);
        const valueForms = [comparable(name, one, schema), comparable(name, other, schema)] as const;
        agree(`${say} as values`, await server.finds(attribute, other), valueForms);
      }
      assert.ok(counts.two > 0 && counts.one > 0, `${attribute}: ${JSON.stringify(counts)}`);
    }
    const counts = { two: 0, one: 0, refused: 0 };
    for (const [one, other] of fc.sample(two(component), runs(1_000))) {
      const verdict = await server.names(one, other);
      counts[verdict] += 1;
      if (verdict === "refused") continue;
      agree(`${one} and ${other}`, verdict === "one", [normalDn(one, schema), normalDn(other, schema)]);
    }
    assert.ok(counts.two > 100 && counts.one > 20, JSON.stringify(counts));
  } finally {
    await client.unbind();
  }
  assert.deepEqual(wrong, []);
});
