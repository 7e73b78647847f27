import fc from "fast-check";

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
    fc.string({ unit: "binary" }),
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
