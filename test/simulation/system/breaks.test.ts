import assert from "node:assert/strict";
import { test } from "node:test";
import { type Break, breaks } from "./breaks.ts";
import { play } from "./play.ts";
import { noticing, seedsOf } from "./search.ts";

/** Seeds that kept every promise with all safeguards. */
const kept = new Set<number>();

for (const name of Object.keys(breaks) as Break[]) {
  test(`the safeguard "${name}" is missed within ${breaks[name].within} seeds`, async (context) => {
    const found = await noticing(name, seedsOf(name, { likely: true }));
    assert.ok(found, `no schedule breaks a promise although ${breaks[name].without}`);
    const { seed, violation } = found;
    context.diagnostic(`--break ${name} --seed ${seed}: ${violation.message}`);
    if (seed !== breaks[name].seed) {
      context.diagnostic(`it was seed ${breaks[name].seed}: npm run simulate -- --break all prints the table again`);
    }
    if (kept.has(seed)) return;
    const { violation: other } = await play(seed);
    assert.equal(other, undefined, `npm run simulate -- --seed ${seed}: ${other?.message}`);
    kept.add(seed);
  });
}
