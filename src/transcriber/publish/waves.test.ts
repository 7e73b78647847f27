import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServiceReport } from "../../core/stream/report.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { publishWaves } from "./waves.ts";

const well: ServiceReport = {
  ...{ code: "c", form: "table", rows: 2, doubt: false, serving: false, pending: 0, failing: false },
  ...{ refused: [], refusedCount: 0, parked: [], parkedCount: 0, reloads: [] },
};
const place = (seq: number) => ({ epoch: 7, seq, asOf: { state: [], clock: 0 } });
const order = [["ns1", "ns2"], ["ns3"], ["ns4"]];

/** The wave messages of a transcriber for the reports of hosts. */
function scene({ leads = true, divergent = "" } = {}) {
  const clock = virtualClock(0);
  const sent: string[] = [];
  const tell = publishWaves(
    { dns: { order } },
    {
      clock,
      leads: () => leads,
      isDivergent: (host) => host === divergent,
      publish(key, body) {
        const { seq, failing } = JSON.parse(body);
        sent.push(`${key} ${seq}${failing === undefined ? "" : ` ${failing}`}`);
      },
    },
  );
  return {
    clock,
    report: (host: string, report: Partial<ServiceReport>) =>
      tell({ trigger: 1, kind: "report", host, at: 0, services: { dns: { ...well, ...report } } }),
    sent: () => sent.splice(0),
  };
}

test("a later wave learns once how far all earlier hosts have applied", () => {
  const { report, sent } = scene();
  report("ns1", { stored: place(4), applied: place(4) });
  assert.deepEqual(sent(), ["trigger.dns.ns3 4", "trigger.dns.ns4 4"]);
  report("ns2", { stored: place(4), applied: place(3), pending: 1, why: "waits for its next run" });
  assert.deepEqual(sent(), ["trigger.dns.ns3 3", "trigger.dns.ns4 3"]);
  report("ns2", { stored: place(4), applied: place(3) });
  report("ns2", { stored: place(4), applied: place(3) });
  assert.deepEqual(sent(), ["trigger.dns.ns3 4", "trigger.dns.ns4 4"]);
  report("ns3", { stored: place(4), applied: place(2), pending: 1 });
  assert.deepEqual(sent(), ["trigger.dns.ns4 2"]);
});

test("a later wave waits for a host that has never run", () => {
  const { report, sent } = scene();
  report("ns1", { stored: place(4), pending: 2, why: "waits for its next run" });
  assert.deepEqual(sent(), []);
});

test("a failure is sent with each report, until its host is absent", async () => {
  const { report, sent, clock } = scene();
  report("ns1", { stored: place(4) });
  report("ns2", { stored: place(4) });
  sent();
  const failing = { failing: true, pending: 1, why: "named does not load it" };
  report("ns1", { stored: place(5), ...failing });
  report("ns1", { stored: place(6), ...failing });
  report("ns2", { stored: place(6) });
  const failure = ["trigger.dns.ns3 5 ns1: named does not load it", "trigger.dns.ns4 5 ns1: named does not load it"];
  assert.deepEqual(sent(), [...failure, ...failure, ...failure]);
  await clock.advance(3 * 60_000 + 1);
  report("ns2", { stored: place(6) });
  assert.deepEqual(sent(), ["trigger.dns.ns3 6", "trigger.dns.ns4 6"]);
});

test("a standby sends nothing", () => {
  const { report, sent } = scene({ leads: false });
  report("ns1", { stored: place(4) });
  assert.deepEqual(sent(), []);
});

test("a divergent host neither counts for other hosts nor hears of them", () => {
  for (const [divergent, expected] of [
    ["ns1", []],
    ["ns3", ["trigger.dns.ns4 4"]],
  ] as const) {
    const { report, sent } = scene({ divergent });
    report("ns1", { stored: place(4), applied: place(4) });
    report("ns2", { stored: place(4), applied: place(4) });
    const messages = sent();
    assert.deepEqual([...new Set(messages)], expected);
  }
});
