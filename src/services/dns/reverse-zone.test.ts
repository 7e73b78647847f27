import assert from "node:assert/strict";
import { test } from "node:test";
import { reverseName, reverseZones } from "./reverse-zone.ts";

test("addresses have their names of RFC 1035 and RFC 3596", () => {
  assert.equal(reverseName("10.2.0.52"), "52.0.2.10.in-addr.arpa");
  assert.equal(
    reverseName("4321:0:1:2:3:4:567:89ab"),
    "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa",
  );
});

test("a network that ends within a number or digit is covered by several zones", () => {
  assert.deepEqual(reverseZones("10.0.0.0/8"), ["10.in-addr.arpa"]);
  assert.deepEqual(
    reverseZones("10.1.4.0/22"),
    [4, 5, 6, 7].map((part) => `${part}.1.10.in-addr.arpa`),
  );
  assert.deepEqual(reverseZones("2001:db8::/32"), ["8.b.d.0.1.0.0.2.ip6.arpa"]);
  assert.deepEqual(
    reverseZones("2001:db8:8000::/34"),
    ["8", "9", "a", "b"].map((digit) => `${digit}.8.b.d.0.1.0.0.2.ip6.arpa`),
  );
});
