import assert from "node:assert/strict";
import { test } from "node:test";
import { realMachine } from "../../../src/machines/real.ts";
import type { Machine } from "../../../src/ports/machine.ts";
import { addresses, fresh, named, pc7, pc8, pointer, reverse4, serials, well, zone } from "./bind.fixture.ts";

test("a foreign name is held whole, listed by observe, and taken over once adopted", async () => {
  for (const whole of [true, false]) {
    const { run, observe, adopt } = await fresh();
    const rows = { a: { name: "ns1", ips: ["10.0.0.66"] }, b: { name: "www", ips: ["10.0.0.67"] }, c: pc8 };
    const result = await run(rows, { whole });
    assert.deepEqual(result?.held?.map(({ key }) => key).sort(), ["a", "b"]);
    assert.match(result?.held?.[0]?.why ?? "", /ns1\.campus\.example has \["3600 A 10\.0\.0\.2"\].*trigger adopt/);
    assert.deepEqual([await addresses("ns1"), await pointer(66), await addresses("pc8")], [["10.0.0.2"], [], pc8.ips]);
    assert.deepEqual(
      (await observe()).find(({ name }) => name === `ns1.${zone}`),
      { name: `ns1.${zone}`, ips: ["10.0.0.2"] },
    );
    for (const name of [`ns1.${zone}`, `www.${zone}`]) adopt(name);
    assert.deepEqual((await run(rows))?.held, []);
    assert.deepEqual([await addresses("ns1"), await pointer(66)], [["10.0.0.66"], [`ns1.${zone}.`]]);
    assert.deepEqual(await addresses("www"), ["10.0.0.67"]);
    assert.deepEqual(await named.dig(zone, "MX"), ["10 mail.campus.example."]);
  }
});

test("observe shows a hand edit, and a full run repairs it and nothing else", async () => {
  const { run, observe } = await fresh();
  const rows = { a: pc7, b: pc8, c: { name: "pc9", ips: ["10.0.0.9"] } };
  await run(rows, { whole: true });
  const had = await observe();
  await named.nsupdate(
    ...[`zone ${zone}`, `update delete pc7.${zone} A`, `update add pc7.${zone} 60 A 10.0.0.99`, "send"],
    ...[`update add guest.${zone} 60 A 10.0.0.50`, `update delete pc8.${zone} A`, "send"],
    ...[`zone ${reverse4}`, "update delete 9.0.0.10.in-addr.arpa PTR"],
  );
  const rowOf = async (name: string) => (await observe()).find((row) => row.name === `${name}.${zone}`)?.ips;
  assert.deepEqual(await rowOf("pc7"), ["2001:db8:1::7"]);
  assert.deepEqual(await rowOf("pc8"), undefined);
  assert.deepEqual(await rowOf("pc9"), []);
  const [before] = await serials();
  assert.deepEqual(await run(rows, { whole: true }), well);
  assert.equal((await serials())[0], (before ?? 0) + 1);
  assert.deepEqual(
    (await observe()).filter(({ name }) => name !== `guest.${zone}`),
    had,
  );
  assert.deepEqual(await addresses("guest"), ["10.0.0.50"]);
});

/** A machine where something is done by another hand just before the next nsupdate. */
function overtakenBy(act: () => Promise<void>): Machine {
  const machine = realMachine();
  let open = true;
  return {
    ...machine,
    async run(asked, options) {
      if (open && options.changes) {
        open = false;
        await act();
      }
      return machine.run(asked, options);
    },
  };
}

test("a foreign write between query and update is not overwritten; other names are applied", async () => {
  const machine = overtakenBy(() => named.nsupdate(`zone ${zone}`, `update add pc7.${zone} 60 A 10.0.0.99`));
  const { run } = await fresh({}, machine);
  const result = await run({ a: pc7, b: pc8, c: { name: "pc9", ips: ["10.0.0.9"] } });
  assert.deepEqual(
    result?.held?.map(({ key }) => key),
    ["a"],
  );
  assert.deepEqual([await addresses("pc7"), await pointer(7)], [["10.0.0.99"], []]);
  assert.deepEqual([await addresses("pc8"), await addresses("pc9")], [pc8.ips, ["10.0.0.9"]]);
});

test("an own name changed by hand is queried again and restored to its row", async () => {
  const { run } = await fresh();
  await run({ a: pc7, b: pc8 });
  await named.nsupdate(`zone ${zone}`, `update delete pc7.${zone} A`, `update add pc7.${zone} 60 A 10.0.0.99`);
  assert.deepEqual(await run({ a: { name: "pc7", ips: ["10.0.0.70"] }, b: pc8 }), well);
  assert.deepEqual(await addresses("pc7"), ["10.0.0.70"]);
});
