import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServiceReport } from "../../core/stream/report.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { tellWaves } from "./waves.ts";

const well: ServiceReport = {
  ...{ code: "c", form: "table", rows: 2, doubt: false, proved: false, owed: 0, failing: false },
  ...{ refused: [], refusedCount: 0, parked: [], parkedCount: 0, reloads: [] },
};
const place = (seq: number) => ({ epoch: 7, seq, asOf: { state: [], clock: 0 } });
const order = [["ns1", "ns2"], ["ns3"], ["ns4"]];

/** A transcriber's word to those who wait, by what hosts report. */
function telling({ speaks = true, apart = "" } = {}) {
  const clock = virtualClock(0);
  const said: string[] = [];
  const tell = tellWaves(
    { dns: { order } },
    {
      clock,
      speaks: () => speaks,
      apart: (host) => host === apart,
      publish(key, body) {
        const { seq, failing } = JSON.parse(body);
        said.push(`${key} ${seq}${failing === undefined ? "" : ` ${failing}`}`);
      },
    },
  );
  return {
    clock,
    report: (host: string, report: Partial<ServiceReport>) =>
      tell({ trigger: 1, kind: "report", host, at: 0, services: { dns: { ...well, ...report } } }),
    said: () => said.splice(0),
  };
}

test("a later wave is told how far every host before it is in force, once", () => {
  const { report, said } = telling();
  report("ns1", { stored: place(4), loaded: place(4) });
  assert.deepEqual(said(), ["trigger.dns.ns3 4", "trigger.dns.ns4 4"]);
  report("ns2", { stored: place(4), loaded: place(3), owed: 1, why: "waits for its next run" });
  assert.deepEqual(said(), ["trigger.dns.ns3 3", "trigger.dns.ns4 3"]);
  report("ns2", { stored: place(4), loaded: place(3) });
  report("ns2", { stored: place(4), loaded: place(3) });
  assert.deepEqual(said(), ["trigger.dns.ns3 4", "trigger.dns.ns4 4"]);
  report("ns3", { stored: place(4), loaded: place(2), owed: 1 });
  assert.deepEqual(said(), ["trigger.dns.ns4 2"]);
});

test("a host that has run never, or whose place is unknown, is waited for", () => {
  const { report, said } = telling();
  report("ns1", { stored: place(4), owed: 2, why: "waits for its next run" });
  assert.deepEqual(said(), []);
});

test("that one fails is said each time, with the place at which it began; absent, it counts no more", async () => {
  const { report, said, clock } = telling();
  report("ns1", { stored: place(4) });
  report("ns2", { stored: place(4) });
  said();
  const failing = { failing: true, owed: 1, why: "named does not load it" };
  report("ns1", { stored: place(5), ...failing });
  report("ns1", { stored: place(6), ...failing });
  report("ns2", { stored: place(6) });
  const word = ["trigger.dns.ns3 5 ns1: named does not load it", "trigger.dns.ns4 5 ns1: named does not load it"];
  assert.deepEqual(said(), [...word, ...word, ...word]);
  await clock.advance(3 * 60_000 + 1);
  report("ns2", { stored: place(6) });
  assert.deepEqual(said(), ["trigger.dns.ns3 6", "trigger.dns.ns4 6"]);
});

test("one that stands by listens, and says nothing", () => {
  const { report, said } = telling({ speaks: false });
  report("ns1", { stored: place(4) });
  assert.deepEqual(said(), []);
});

test("a host that is told in epochs of its own says nothing of the places of others, and is told none", () => {
  for (const [apart, expected] of [
    ["ns1", []],
    ["ns3", ["trigger.dns.ns4 4"]],
  ] as const) {
    const { report, said } = telling({ apart });
    report("ns1", { stored: place(4), loaded: place(4) });
    report("ns2", { stored: place(4), loaded: place(4) });
    const words = said();
    assert.deepEqual([...new Set(words)], expected);
  }
});
