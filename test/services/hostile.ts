import fc from "fast-check";
import { anyText } from "../any-text.ts";

/** Values that try to write configuration of their own, beside a good one and anything at all. */
export const anything = (good: string): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constant(good),
    fc.constantFrom(
      "",
      " ",
      "\n",
      "\u0000",
      "\u2028",
      "é",
      "\ud800",
      "x".repeat(70_000),
      "a".repeat(63),
      "*",
      "@",
      "$INCLUDE /etc/passwd",
    ),
    anyText(),
    fc.string({ unit: "grapheme" }),
    // The good value with something before, behind or in it.
    fc
      .tuple(
        fc.nat(good.length),
        fc.constantFrom(
          "\n",
          "\r",
          "\t",
          " ",
          ";",
          '"',
          "'",
          "\\",
          "{",
          "}",
          "#",
          "(",
          ")",
          "\u0000",
          "\u007f",
          "\u0085",
          "\u00a0",
          ",",
          "|",
          "`",
          "$",
          "..",
          "/",
        ),
      )
      .map(([at, bad]) => good.slice(0, at) + bad + good.slice(at)),
    fc
      .constantFrom(
        '"; } host evil { ',
        "\n@ IN NS evil.example.\n",
        "evil |/bin/sh",
        ":include:/etc/passwd",
        "/../../etc",
      )
      .map((tail) => good + tail),
  );

/** Host names that are right, and that a daemon's grammar may take for a word or a number of its own. */
export const oddNames = [
  ...["deleted", "host", "group", "dynamic", "remove", "null", "true", "not", "include", "none"],
  ...["0", "00", "123", "1e5", "0x10", "12ab", "1-2", "10-0-0-1", "n".repeat(63), "xn--zo-bja"],
];

/** Clients of DHCP with such values, and with values that are right and that a daemon may yet take for something else. */
export const anyClient = (network: string): fc.Arbitrary<{ mac: string; ip: string; name: string }> =>
  fc.integer({ min: 1, max: 254 }).chain((number) =>
    fc.record({
      mac: fc.oneof(
        { weight: 6, arbitrary: fc.constant(`02:00:00:00:00:${number.toString(16)}`) },
        anything(`02:00:00:00:00:${number.toString(16).padStart(2, "0")}`),
        fc.constantFrom("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01"),
      ),
      ip: fc.oneof(
        { weight: 6, arbitrary: fc.constant(`${network}.${number}`) },
        anything(`${network}.${number}`),
        fc.constantFrom("0.0.0.0", "255.255.255.255", "127.0.0.1", "224.0.0.1", `${network}.0`, `${network}.255`),
      ),
      name: fc.oneof(
        { weight: 6, arbitrary: fc.constant(`pc${number}`) },
        anything(`pc${number}`),
        fc.constantFrom(...oddNames),
      ),
    }),
  );
