import assert from "node:assert/strict";
import { test } from "node:test";
import { file, right, wrong as wrongConfig } from "../../../test/fixtures/config.ts";
import { readConfig } from "./config.ts";
import { mayBeEmptied, removalsAllowed } from "./removals.ts";

test("a few rows may always be removed, and of a large table a share", () => {
  assert.deepEqual(
    [0, 100, 5000].map((rows) => removalsAllowed({}, "dhcp", rows)),
    [50, 50, 500],
  );
  assert.equal(removalsAllowed({ atMost: 5, share: 0.5 }, "dhcp", 20), 10);
  assert.equal(removalsAllowed({ atMost: 5, of: { dhcp: { atMost: 0, share: 0 } } }, "dhcp", 1000), 0);
  assert.equal(removalsAllowed({ atMost: 5, of: { dhcp: { share: 0 } } }, "dhcp", 1000), 5);
});

test("a table may become empty unasked only if the config allows it", () => {
  const of = { dhcp: { atMost: 100 }, bans: { mayEmpty: true } };
  assert.deepEqual(
    [{}, { of }, { mayEmpty: true, of }].map((removals) =>
      ["dhcp", "bans", "dns"].map((name) => mayBeEmptied(removals, name)),
    ),
    [
      [false, false, false],
      [false, true, false],
      [true, true, true],
    ],
  );
  assert.equal(mayBeEmptied({ mayEmpty: true, of: { dhcp: { mayEmpty: false } } }, "dhcp"), false);
});

test("a mistake in the limits is named", () => {
  const wrong = (removals: object) => wrongConfig({ removals });
  const removals = { atMost: 5, share: 0.1, of: { dns: { atMost: 0 } } };
  assert.deepEqual(readConfig({ ...right, removals }, file).removals, removals);
  assert.match(wrong({ atmost: 5 }), /^unknown option of removals "atmost".*did you mean "atMost"/);
  assert.match(wrong({ atMost: -1 }), /^removals\.atMost: expected a number of rows, 0 or more, found -1/);
  assert.match(wrong({ share: 10 }), /^removals\.share: expected a share of the rows, 0 to 1, found 10/);
  assert.match(wrong({ mayEmpty: 1 }), /^removals\.mayEmpty: expected true or false, found 1/);
  assert.match(wrong({ of: { dnss: {} } }), /^unknown service in removals\.of "dnss".*did you mean "dns"/);
  assert.match(wrong({ of: { dns: { share: "a" } } }), /^removals\.of\.dns\.share/);
  assert.match(wrong({ of: { dns: { of: {} } } }), /^unknown option of removals\.of\.dns "of"/);
  assert.equal(wrong({ of: ["dns"] }), "removals.of: expected { service: { … } }, found a list");
});
