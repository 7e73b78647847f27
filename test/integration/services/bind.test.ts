import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { dryMachine } from "../../../src/machines/dry.ts";
import { realMachine } from "../../../src/machines/real.ts";
import { access, startNamed } from "../../servers/named.ts";
import { anything } from "../../services/hostile.ts";
import { tableOf } from "../../services/scene.ts";
import {
  addresses,
  fresh,
  named,
  onServer,
  own,
  pc7,
  pc8,
  pointer,
  reverse4,
  reverse6,
  serials,
  well,
  zone,
} from "./bind.fixture.ts";

test("a full run adds names and pointers; each change takes one message per zone", async () => {
  const { run } = await fresh();
  assert.deepEqual(await run({ a: pc7, b: pc8 }, { whole: true }), well);
  assert.deepEqual(await addresses("pc7"), pc7.ips);
  assert.deepEqual(await pointer(7), [`pc7.${zone}.`]);
  assert.deepEqual(await serials(), [2, 2, 2]);
  assert.deepEqual(await run({ a: pc7, b: pc8 }, { whole: true }), well);
  assert.deepEqual(await serials(), [2, 2, 2], "a full run on the applied rows writes nothing");

  await run({ a: { ...pc7, ips: ["10.0.0.70", "2001:db8:1::7"] }, b: pc8 });
  assert.deepEqual(await addresses("pc7"), ["10.0.0.70", "2001:db8:1::7"]);
  assert.deepEqual([await pointer(7), await pointer(70)], [[], [`pc7.${zone}.`]]);
  assert.deepEqual(await serials(), [3, 3, 2]);

  await run({ a: { name: "pc9", ips: ["10.0.0.70"] }, b: pc8 });
  assert.deepEqual([await addresses("pc7"), await addresses("pc9")], [[], ["10.0.0.70"]]);
  assert.deepEqual(await pointer(70), [`pc9.${zone}.`]);
  assert.deepEqual(await named.dig(`pc7.${zone}`, "TXT"), ['"not ours"']);

  await run({ b: pc8 });
  assert.deepEqual([await addresses("pc9"), await pointer(70), await addresses("pc8")], [[], [], pc8.ips]);
});

test("two names swap their addresses in one message", async () => {
  const { run } = await fresh();
  await run({ a: { name: "pc7", ips: ["10.0.0.7"] }, b: pc8 });
  const [before] = await serials();
  await run({ a: { name: "pc7", ips: ["10.0.0.8"] }, b: { name: "pc8", ips: ["10.0.0.7"] } });
  assert.deepEqual([await addresses("pc7"), await addresses("pc8")], [["10.0.0.8"], ["10.0.0.7"]]);
  assert.deepEqual([await pointer(7), await pointer(8)], [[`pc8.${zone}.`], [`pc7.${zone}.`]]);
  assert.equal((await serials())[0], (before ?? 0) + 1);
});

test("a name that the server refuses is found, without its pointer; others are applied", async () => {
  const policy = access.replace("{ grant", `{ deny trigger name printer.${zone}. ANY; grant`);
  await using other = await startNamed({ zones: { [zone]: { access: policy }, [reverse4]: {}, [reverse6]: {} } });
  const { run } = onServer({}, realMachine(), other);
  const rows = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`k${i}`, { name: `h${i}`, ips: [`10.0.1.${i}`] }]),
  );
  const result = await run({ ...rows, bad: { name: "printer", ips: ["10.0.0.66"] } });
  assert.deepEqual(
    result?.refused?.map(({ key }) => key),
    ["bad"],
  );
  assert.match(result?.refused?.[0]?.why ?? "", /refuses.*printer|refuses to update this name.*update-policy/);
  assert.deepEqual(await other.dig(`h19.${zone}`, "A"), ["10.0.1.19"]);
  assert.deepEqual(await other.dig("66.0.0.10.in-addr.arpa", "PTR"), []);
});

test("any accepted name and addresses are read back as given", async () => {
  const { run, service } = await fresh();
  const texts = fc.record({
    name: fc.oneof(anything("pc7"), fc.stringMatching(/^[a-z][a-z0-9-]{0,61}[a-z0-9]$/)),
    ips: fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), anything("10.0.0.7"))),
  });
  const seed = Math.floor(Math.random() * 2 ** 31);
  const read = fc
    .sample(texts, { numRuns: 100, seed })
    .flatMap((row) => tableOf(service).row.safeParse(row).data ?? []);
  const taken = new Set<string>();
  const rows: Record<string, object> = {};
  for (const row of read as { name: string; ips: string[] }[]) {
    if ([row.name, ...row.ips].some((value) => taken.has(value))) continue;
    for (const value of [row.name, ...row.ips]) taken.add(value);
    rows[row.name] = row;
  }
  assert.deepEqual(await run(rows), well, `seed ${seed}`);
  const after = await serials();
  assert.deepEqual(await run(rows, { whole: true }), well, `seed ${seed}`);
  assert.deepEqual(await serials(), after, `what was read back differs: seed ${seed}`);
  await run({}, { whole: true });
  assert.deepEqual(await named.records(zone), own.length + 3, `seed ${seed}`);
});

test("a dry run queries the server and notes the updates it would send", async () => {
  const machine = dryMachine(realMachine());
  const { run } = await fresh({}, machine);
  await run({ a: pc7 }, { whole: true });
  const [first] = machine.noted().commands;
  assert.match(first?.input ?? "", /^update add pc7\.campus\.example\. 3600 A 10\.0\.0\.7$/m);
  assert.deepEqual(await addresses("pc7"), []);
});
