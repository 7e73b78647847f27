import assert from "node:assert/strict";
import { isIPv4, isIPv6 } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { anyText } from "../../../test/any-text.ts";
import { runs } from "../../../test/hostile.ts";
import * as columns from "./columns.ts";

const { Mac, Ipv4, Ipv6, Ip, Prefix, Hostname, DomainName, Mail, UserName, Uid, AbsolutePath } = columns;
const all = { Mac, Ipv4, Ipv6, Ip, Prefix, Hostname, DomainName, Mail, UserName, Uid, AbsolutePath };

const cases: { column: keyof typeof all; good: Record<string, string>; bad: string[] }[] = [
  {
    column: "Mac",
    good: {
      "AA-BB-CC-DD-EE-FF": "aa:bb:cc:dd:ee:ff",
      "aabb.ccdd.eeff": "aa:bb:cc:dd:ee:ff",
      aabbccddeeff: "aa:bb:cc:dd:ee:ff",
      "0:1a:2:3:4:5": "00:1a:02:03:04:05",
    },
    bad: ["aa:bb:cc:dd:ee", "aa:bb-cc:dd-ee:ff", "aa:bb:cc:dd:ee:fg", "aa:bb:cc:dd:ee:ff:00", "aabb.ccddeeff"],
  },
  {
    column: "Ipv4",
    good: { "10.0.0.7": "10.0.0.7", "255.255.255.255": "255.255.255.255" },
    bad: ["10.0.0.07", "10.0.0.256", "10.0.7", "10.0.0.7.1", "0x0a.0.0.7", "10.0.0.7\n"],
  },
  {
    column: "Ipv6",
    good: {
      "2001:DB8::1": "2001:db8::1",
      "2001:db8:0::1": "2001:db8::1",
      "2001:0db8:0000:0000:0001:0000:0000:0001": "2001:db8::1:0:0:1",
      "2001:db8:0:1:1:1:1:1": "2001:db8:0:1:1:1:1:1",
      "::FFFF:10.0.0.7": "::ffff:10.0.0.7",
      "::ffff:a00:7": "::ffff:10.0.0.7",
      "::": "::",
      "64:ff9b::10.0.0.7": "64:ff9b::a00:7",
    },
    bad: ["fe80::1%eth0", ":::", "1::2::3", "12345::", "10.0.0.7", "2001:db8::1/64", "[::1]", "::1]@x"],
  },
  { column: "Ip", good: { "10.0.0.7": "10.0.0.7", "FE80::1": "fe80::1" }, bad: ["localhost", "1"] },
  {
    column: "Prefix",
    good: { "10.0.0.0/8": "10.0.0.0/8", "2001:DB8:0::/32": "2001:db8::/32", "0.0.0.0/0": "0.0.0.0/0" },
    bad: ["10.0.0.7/24", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/08", "2001:db8::1/64", "::/129"],
  },
  {
    column: "Hostname",
    good: { "PC-7": "pc-7", "1": "1", ["a".repeat(63)]: "a".repeat(63) },
    bad: ["pc7.campus.example", "-pc", "pc-", "p_c", "a".repeat(64), "pc.", "\u212Aelvin", "é"],
  },
  {
    column: "DomainName",
    good: { "WWW.Campus.Example.": "www.campus.example", "_dmarc.campus.example": "_dmarc.campus.example" },
    bad: ["www", "10.0.0.7", "a..b", ".a.b", "a_b.example", "a.-b", `${"a".repeat(63)}.`.repeat(4), "campus._tcp"],
  },
  {
    column: "Mail",
    good: { "First.Last+x@Campus.EXAMPLE": "First.Last+x@campus.example" },
    bad: [
      '"a b"@c.example',
      "a@b",
      "@c.example",
      "a@c.example.",
      ".a@c.example",
      "-a@c.example",
      "a@_b.example",
      "a@b@c.d|",
    ],
  },
  {
    column: "UserName",
    good: { alice: "alice", "First.Last": "First.Last", _www: "_www" },
    bad: ["-a", ".a", "1000", "a/b", "a:b", "a".repeat(33), "root\n", "é"],
  },
  {
    column: "Uid",
    good: { "0": "0", "4294967294": "4294967294" },
    bad: ["-1", "4294967295", "01", "1.5", "0x10", "1e3"],
  },
  {
    column: "AbsolutePath",
    good: { "/home/alice": "/home/alice", "//home///alice/": "/home/alice" },
    bad: [
      "/",
      "home",
      "/home/../etc",
      "/home/./a",
      "/home/-rf",
      "/a b",
      "/a\u0000b",
      '/a"b',
      "/é",
      `/${"a".repeat(256)}`,
    ],
  },
];

for (const { column, good, bad } of cases) {
  test(`${column} has one form for each value and refuses invalid ones`, () => {
    for (const [given, clean] of Object.entries(good)) assert.equal(all[column].parse(given), clean);
    for (const given of [...bad, "", " "]) {
      const read = all[column].safeParse(given);
      assert.equal(read.success, false, `${column} takes ${JSON.stringify(given)}`);
      assert.match(read.error?.issues[0]?.message ?? "", /^is not an? /);
    }
  });
}

test("a refused value is answered with one sentence that names the rule", () => {
  assert.deepEqual(
    [undefined, 7, "x"].map((value) => Mac.safeParse(value).error?.issues.map(({ message }) => message)),
    [["is missing"], ["is not a MAC address (aa:bb:cc:dd:ee:ff)"], ["is not a MAC address (aa:bb:cc:dd:ee:ff)"]],
  );
});

/** Texts near to valid ones of each column, so that many are valid, beside arbitrary texts. */
const near = fc.oneof(
  anyText({ maxLength: 80 }),
  fc.ipV4(),
  fc.ipV6(),
  fc.domain(),
  fc.emailAddress(),
  fc.stringMatching(/^[0-9A-F]{1,2}(:[0-9A-F]{1,2}){5}$/),
  fc.tuple(fc.ipV6(), fc.nat(130)).map(([ip, length]) => `${ip}/${length}`),
  fc.stringMatching(/^(\/[a-zA-Z0-9.]{0,5}){1,4}$/),
  fc.stringMatching(/^[a-zA-Z0-9._@:-]{1,12}[\n "';{}\\]?$/),
);

test("a column reads its own output unchanged, and admits no control character", () => {
  for (const [name, column] of Object.entries(all)) {
    fc.assert(
      fc.property(near, (text) => {
        const read = column.safeParse(text);
        if (!read.success) return;
        assert.equal(column.parse(read.data), read.data, name);
        assert.match(read.data, /^[a-zA-Z0-9._@:/+=&~-]+$/, name);
      }),
      { numRuns: runs(2000) },
    );
  }
});

test("the address columns take what Node takes for an address", () => {
  fc.assert(
    fc.property(fc.oneof(near, fc.ipV4(), fc.ipV6()), (text) => {
      assert.equal(Ipv4.safeParse(text).success, isIPv4(text));
      assert.equal(Ipv6.safeParse(text).success, isIPv6(text) && !text.includes("%"));
    }),
    { numRuns: runs(5000) },
  );
});

test("two ways to write an IPv6 address give one form", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constant(0), fc.nat(65535)), { minLength: 8, maxLength: 8 }), (groups) => {
      const long = groups.map((group) => group.toString(16).toUpperCase().padStart(4, "0")).join(":");
      const clean = Ipv6.parse(long);
      assert.deepEqual(columns.ipv6Groups(clean), groups);
      assert.equal(Ipv6.parse(groups.map((group) => group.toString(16)).join(":")), clean);
      assert.doesNotMatch(clean, /(^|:)0+[0-9a-f]|[A-F]/);
    }),
  );
});
