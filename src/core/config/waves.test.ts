import assert from "node:assert/strict";
import { test } from "node:test";
import { file, right, wrong as wrongConfig } from "../../../test/fixtures/config.ts";
import { readConfig } from "./config.ts";
import { waveWithin } from "./waves.ts";

const hosts = { ns1: ["dns"], ns2: ["dns"], ns3: ["dns"], civet: ["event"] };
const wrong = (dns: unknown): string => wrongConfig({ hosts, waves: { dns } });

test("the first wave waits for none, the others a minute or as configured", () => {
  const waves = { dns: { order: [["ns1"], ["ns2", "ns3"]] } };
  assert.deepEqual(readConfig({ ...right, hosts, waves }, file).waves, waves);
  assert.deepEqual(
    ["ns1", "ns2", "ns3"].map((host) => waveWithin(waves, "dns", host)),
    [undefined, 60_000, 60_000],
  );
  assert.equal(waveWithin({ dns: { ...waves.dns, within: 5 } }, "dns", "ns3"), 5_000);
  assert.equal(waveWithin(waves, "dhcp", "ns3"), undefined);
});

test("each host of the service is in one wave, and each fault is named", () => {
  const order = [["ns1"], ["ns2"], ["ns3"]];
  assert.match(
    wrongConfig({ hosts, waves: { dnss: { order } } }),
    /^unknown service in waves "dnss".*did you mean "dns"/,
  );
  assert.match(wrong({ oder: order }), /^unknown option of waves\.dns "oder".*did you mean "order"/);
  assert.match(wrong({ order: [["ns1"], ["ns2"]] }), /^waves\.dns\.order: host "ns3" runs dns but is in no wave$/);
  assert.match(
    wrong({
      order: [
        ["ns1", "ns2"],
        ["ns3", "ns1"],
      ],
    }),
    /host "ns1" is listed twice$/,
  );
  assert.match(
    wrong({
      order: [
        ["ns1", "ns4"],
        ["ns3", "ns2"],
      ],
    }),
    /^unknown host of dns in waves\.dns "ns4"/,
  );
  for (const bad of [undefined, "ns1", ["ns1"], [["ns1", "ns2", "ns3"], []]]) {
    assert.match(wrong({ order: bad }), /^waves\.dns\.order: expected a list of lists of hosts/);
  }
  assert.equal(wrong({ order: [["ns1", 7]] }), "waves.dns.order: expected a text, found 7");
  for (const within of [0, -1, "60", Number.NaN, 1e9])
    assert.match(wrong({ order, within }), /^waves\.dns\.within: expected/);
  for (const bad of [null, 7, "x"]) assert.match(wrong(bad), /^waves\.dns: expected \{ order/);
});
