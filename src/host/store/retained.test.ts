import assert from "node:assert/strict";
import { test } from "node:test";
import { type HeldBy, heldBy, type RetainedBy, retainedBy } from "../../core/stream/reasons.ts";
import { sayHold, sayQuestion, sayRetained } from "./retained.ts";

/** The one test of these sentences: another wording changes this test alone. */

const many = { digest: "89cebc0b", rows: 20 };
const one = { digest: "3298569f", rows: 1 };

test("each reason to retain a row has its sentence", () => {
  const sentences: Readonly<Record<RetainedBy, string>> = {
    directory: "refused: two rows have the address 10.0.0.2",
    version: "other version: two rows have the address 10.0.0.2",
    check: "refused by the check: two rows have the address 10.0.0.2",
    daemon: "refused by the daemon: two rows have the address 10.0.0.2",
    conflict: "held: two rows have the address 10.0.0.2",
    removals: "held with other removals, held as two rows have the address 10.0.0.2",
  };
  const detail = "two rows have the address 10.0.0.2";
  const said = retainedBy.map((by) => [by, sayRetained({ by, detail }, undefined)]);
  assert.deepEqual(Object.fromEntries(said), sentences);
});

test("a question names its digest and the number of rows to be removed", () => {
  assert.equal(sayQuestion(many), "held with the removals 89cebc0b: 20 rows would be removed");
  assert.equal(sayQuestion(one), "held with the removals 3298569f: 1 row would be removed");
});

test("only a row held with other removals names the open question", () => {
  const detail = "no row would be left";
  const asking = retainedBy.filter((by) => sayRetained({ by, detail }, one) !== sayRetained({ by, detail }, undefined));
  assert.deepEqual(asking, ["removals"]);
  for (const question of [many, one])
    assert.equal(
      sayRetained({ by: "removals", detail }, question),
      `${sayQuestion(question)}, held as no row would be left`,
    );
});

test("a person's hold says its given words, another hold its reason", () => {
  const sentences: Readonly<Record<HeldBy, string>> = {
    person: "by a person: the switch is being replaced",
    conflict: "the switch is being replaced",
  };
  const said = heldBy.map((by) => [by, sayHold({ by, detail: "the switch is being replaced" })]);
  assert.deepEqual(Object.fromEntries(said), sentences);
  assert.equal(sayHold({ by: "person", detail: "" }), "by a person");
});
