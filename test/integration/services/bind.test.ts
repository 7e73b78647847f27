import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Away } from "../../../src/core/outcome.ts";
import { dryMachine } from "../../../src/machines/dry.ts";
import { realMachine } from "../../../src/machines/real.ts";
import type { Machine } from "../../../src/ports/machine.ts";
import { bind } from "../../../src/services/bind.ts";
import { access, type Named, type NamedOptions, startNamed } from "../../servers/named.ts";
import { realScene } from "../../services/real-scene.ts";

// Dynamic updates on a real BIND, seen by dig. `scripts/setup.sh test` installs both.

const zone = "campus.example";
const reverse4 = "0.10.in-addr.arpa";
const reverse6 = "1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
const own = ["ns1 A 10.0.0.2", "@ MX 10 mail", "mail A 10.0.0.3", "www CNAME mail", 'pc7 TXT "not ours"'];
const zones: NamedOptions["zones"] = { [zone]: { records: own }, [reverse4]: {}, [reverse6]: {} };

/** One server for the tests; each begins with its zones as they were. */
const named: Named = await startNamed({ zones });
test.after(() => named[Symbol.asyncDispose]());

const common = { zone, reverse: ["10.0.0.0/16", "2001:db8:1::/48"], daemon: false as const, timeout: 1 };
const onServer = (options: object = {}, machine: Machine = realMachine(), { port, key } = named) =>
  realScene(bind({ ...common, port, key, ...options }), { machine });

async function fresh(options: object = {}, machine?: Machine) {
  await named.reset();
  return onServer(options, machine);
}

async function privately(t: TestContext, zones: NamedOptions["zones"]): Promise<Named> {
  const other = await startNamed({ zones });
  t.after(() => other[Symbol.asyncDispose]());
  return other;
}

const pc7 = { name: "pc7", ips: ["10.0.0.7", "2001:db8:1::7"] };
const pc8 = { name: "pc8", ips: ["10.0.0.8"] };
const well = { refused: [], held: [], proved: true };
const addresses = async (name: string) => [
  ...(await named.dig(`${name}.${zone}`, "A")),
  ...(await named.dig(`${name}.${zone}`, "AAAA")),
];
const pointer = (last: number) => named.dig(`${last}.0.0.10.in-addr.arpa`, "PTR");
const serials = () => Promise.all([zone, reverse4, reverse6].map(named.serial));

test("names and pointers go in as a whole, then live: a change, a rename, a removal, each one message a zone", async () => {
  const { run } = await fresh();
  assert.deepEqual(await run({ a: pc7, b: pc8 }, { whole: true }), well);
  assert.deepEqual(await addresses("pc7"), pc7.ips);
  assert.deepEqual(await pointer(7), [`pc7.${zone}.`]);
  assert.deepEqual(await serials(), [2, 2, 2]);
  assert.deepEqual(await run({ a: pc7, b: pc8 }, { whole: true }), well);
  assert.deepEqual(await serials(), [2, 2, 2], "a full run on what is in force writes nothing");

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

test("two names that swap their addresses do so in one message", async () => {
  const { run } = await fresh();
  await run({ a: { name: "pc7", ips: ["10.0.0.7"] }, b: pc8 });
  const [before] = await serials();
  await run({ a: { name: "pc7", ips: ["10.0.0.8"] }, b: { name: "pc8", ips: ["10.0.0.7"] } });
  assert.deepEqual([await addresses("pc7"), await addresses("pc8")], [["10.0.0.8"], ["10.0.0.7"]]);
  assert.deepEqual([await pointer(7), await pointer(8)], [[`pc8.${zone}.`], [`pc7.${zone}.`]]);
  assert.equal((await serials())[0], (before ?? 0) + 1);
});

test("somebody else's name is held as a whole, listed by observe, and taken over when that is approved", async () => {
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

test("a hand edit is seen by observe, and a full run mends it and nothing else", async () => {
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

test("what another hand writes between the look and the update is not overwritten, and the other names go in", async () => {
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

test("a name of ours that is not as it was believed is looked at again and brought to its row", async () => {
  const { run } = await fresh();
  await run({ a: pc7, b: pc8 });
  await named.nsupdate(`zone ${zone}`, `update delete pc7.${zone} A`, `update add pc7.${zone} 60 A 10.0.0.99`);
  assert.deepEqual(await run({ a: { name: "pc7", ips: ["10.0.0.70"] }, b: pc8 }), well);
  assert.deepEqual(await addresses("pc7"), ["10.0.0.70"]);
});

test("a single name that the server refuses is found and named; the others go in, and of it not even the pointer", async (t) => {
  const policy = access.replace("{ grant", `{ deny trigger name printer.${zone}. ANY; grant`);
  const other = await privately(t, { [zone]: { access: policy }, [reverse4]: {}, [reverse6]: {} });
  const { run } = onServer({}, realMachine(), other);
  const rows = Object.fromEntries(
    Array.from({ length: 60 }, (_, i) => [`k${i}`, { name: `h${i}`, ips: [`10.0.1.${i}`] }]),
  );
  const result = await run({ ...rows, bad: { name: "printer", ips: ["10.0.0.66"] } });
  assert.deepEqual(
    result?.refused?.map(({ key }) => key),
    ["bad"],
  );
  assert.match(result?.refused?.[0]?.why ?? "", /refuses.*printer|refuses to update this name.*update-policy/);
  assert.deepEqual(await other.dig(`h59.${zone}`, "A"), ["10.0.1.59"]);
  assert.deepEqual(await other.dig("66.0.0.10.in-addr.arpa", "PTR"), []);
});

test("a server that knows not the key, or lets it not in, is told with the line that helps", async (t) => {
  const none = 'allow-transfer { key "trigger"; };';
  const other = await privately(t, {
    [zone]: { access: 'allow-update { key "other"; }; allow-transfer { key "trigger"; };' },
    [reverse4]: { access: access.replace(none, "allow-transfer { none; };") },
  });
  const fails = (options: object, words: RegExp) =>
    assert.rejects(onServer({ reverse: [], ...options }, realMachine(), other).run({ a: pc7 }), (error) => {
      assert.ok(!(error instanceof Away));
      assert.match(String(error), words);
      return true;
    });
  await fails({ key: other.stranger }, /BADKEY.*"stranger".*include/);
  await fails({ key: "/nonexistent.key" }, /no key file.*tsig-keygen/);
  await fails({}, /REFUSED to an update of campus\.example.*update-policy \{ grant trigger zonesub A AAAA CNAME; \}/);
  await assert.rejects(
    onServer({ reverse: ["10.0.0.0/16"] }, realMachine(), other).run({}, { whole: true }),
    /REFUSED to a transfer of 0\.10\.in-addr\.arpa.*allow-transfer \{ key "trigger"; \}/,
  );
  await assert.rejects(
    onServer({ reverse: ["10.9.0.0/16"] }, realMachine(), other).run({}, { whole: true }),
    /NOTAUTH to a transfer of 9\.10\.in-addr\.arpa.*not the primary/,
  );
});

test("a record that was taken is there after kill -9: the journal keeps it", async () => {
  const { run } = await fresh();
  assert.deepEqual(await run({ a: pc7 }), well);
  await named.kill9();
  await assert.rejects(
    run({ a: pc7, b: pc8 }),
    (error) => error instanceof Away && /does not answer/.test(error.message),
  );
  await named.start();
  assert.deepEqual([await addresses("pc7"), await pointer(7)], [pc7.ips, [`pc7.${zone}.`]]);
  assert.deepEqual(await run({ a: pc7, b: pc8 }, { whole: true, interrupted: true }), well);
  assert.deepEqual(await addresses("pc8"), pc8.ips);
});

test("a server that hangs is away after its timeout, with the known names too", async () => {
  const { run } = await fresh();
  await run({ a: pc7 });
  named.pause();
  try {
    const start = performance.now();
    await assert.rejects(run({}), Away);
    await assert.rejects(run({}, { whole: true }), Away);
    assert.ok(performance.now() - start < 8_000);
  } finally {
    named.resume();
  }
  assert.deepEqual(await run({}, { whole: true, interrupted: true }), well);
  assert.deepEqual(await addresses("pc7"), []);
});

test("a zone that was restored from an older state is noticed at the next change, and brought whole", async () => {
  const { run, log } = await fresh();
  await run({ a: pc7 }, { whole: true });
  await run({ a: pc7, b: pc8 });
  await named.reset();
  assert.deepEqual(await run({ a: pc7, b: pc8, c: { name: "pc9", ips: ["10.0.0.9"] } }), well);
  assert.match(log.join("\n"), /campus\.example has serial 2 after 3: another zone/);
  assert.deepEqual([await addresses("pc7"), await pointer(8)], [pc7.ips, [`pc8.${zone}.`]]);
});

test("a wildcard of the zone is taken for nobody's name", async (t) => {
  const other = await privately(t, { [zone]: { records: ["* A 10.0.0.1"] }, [reverse4]: {}, [reverse6]: {} });
  const { run } = onServer({}, realMachine(), other);
  assert.deepEqual(await run({ a: pc7 }), well);
  assert.deepEqual(await other.dig(`pc7.${zone}`, "A"), ["10.0.0.7"]);
  assert.deepEqual(await run({}), well);
  assert.deepEqual(await other.dig(`pc7.${zone}`, "A"), ["10.0.0.1"]);
});

test("a dry run asks the server and notes what it would send", async () => {
  const machine = dryMachine(realMachine());
  const { run } = await fresh({}, machine);
  await run({ a: pc7 }, { whole: true });
  const [first] = machine.noted().commands;
  assert.match(first?.input ?? "", /^update add pc7\.campus\.example\. 3600 A 10\.0\.0\.7$/m);
  assert.deepEqual(await addresses("pc7"), []);
});
