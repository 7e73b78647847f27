import assert from "node:assert/strict";
import { test } from "node:test";
import { nftables } from "../../../src/services/nftables.ts";
import { namespace } from "../../servers/namespace.ts";
import { firewall, tableIn } from "./firewall.fixture.ts";

const box = namespace("fw");
const mac = "02:00:00:00:00:01";

test("a change costs the same in a table of 50 or 50,000 rows", async (t) => {
  const took: number[] = [];
  for (const size of [50, 50_000]) {
    const { options } = tableIn(box, `of${size}`);
    const { run, said, took: lasted } = firewall(nftables(options));
    const rows = Object.fromEntries(
      Array.from({ length: size }, (_, n) => [`k${n}`, { mac, ip: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}` }]),
    );
    await run(rows, { whole: true });
    said.length = 0;
    const times: number[] = [];
    for (const last of [1, 2, 3, 4, 5]) {
      await run({ ...rows, k7: { mac, ip: `10.99.0.${last}` } });
      times.push(lasted());
    }
    took.push(Math.min(...times));
    assert.equal(said.length, 10);
    assert.ok(said.every(({ input }) => input.length < 250));
  }
  const [small = 0, large = 0] = took;
  t.diagnostic(`a change took ${small.toFixed(1)} ms of 50 rows, ${large.toFixed(1)} ms of 50,000`);
  assert.ok(large < 3 * small + 50, `${small} ms, ${large} ms`);
});
