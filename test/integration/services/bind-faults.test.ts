import assert from "node:assert/strict";
import { test } from "node:test";
import { Away } from "../../../src/core/util/errors.ts";
import { realMachine } from "../../../src/machines/real.ts";
import { access, startNamed } from "../../servers/named.ts";
import {
  addresses,
  fresh,
  named,
  onServer,
  pc7,
  pc8,
  pointer,
  reverse4,
  reverse6,
  well,
  zone,
} from "./bind.fixture.ts";

test("an unknown or unauthorized key is an error with the line to configure", async () => {
  const none = 'allow-transfer { key "trigger"; };';
  await using other = await startNamed({
    zones: {
      [zone]: { access: 'allow-update { key "other"; }; allow-transfer { key "trigger"; };' },
      [reverse4]: { access: access.replace(none, "allow-transfer { none; };") },
    },
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
    /REFUSED to a query of 9\.10\.in-addr\.arpa: it has no such zone/,
  );
});

test("the journal keeps an accepted record through kill -9", async () => {
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

test("a server that hangs is away after its timeout, even without changes", async () => {
  const { run } = await fresh();
  await run({ a: pc7 });
  named.pause();
  try {
    await assert.rejects(run({}), Away);
    await assert.rejects(run({}, { whole: true }), Away);
  } finally {
    named.resume();
  }
  assert.deepEqual(await run({}, { whole: true, interrupted: true }), well);
  assert.deepEqual(await addresses("pc7"), []);
});

test("a zone restored from an older state is repaired at the next change", async () => {
  const { run, log } = await fresh();
  await run({ a: pc7 }, { whole: true });
  await run({ a: pc7, b: pc8 });
  await named.reset();
  assert.deepEqual(await run({ a: pc7, b: pc8, c: { name: "pc9", ips: ["10.0.0.9"] } }), well);
  assert.match(log.join("\n"), /campus\.example has serial 2 after 3: this is not the zone last written/);
  assert.deepEqual([await addresses("pc7"), await pointer(8)], [pc7.ips, [`pc8.${zone}.`]]);
});

test("a wildcard of the zone is not taken for the record of a name", async () => {
  await using other = await startNamed({
    zones: { [zone]: { records: ["* A 10.0.0.1"] }, [reverse4]: {}, [reverse6]: {} },
  });
  const { run } = onServer({}, realMachine(), other);
  assert.deepEqual(await run({ a: pc7 }), well);
  assert.deepEqual(await other.dig(`pc7.${zone}`, "A"), ["10.0.0.7"]);
  assert.deepEqual(await run({}), well);
  assert.deepEqual(await other.dig(`pc7.${zone}`, "A"), ["10.0.0.1"]);
});

test("an unanswered name below a delegation is logged, and the service not serving", async () => {
  const records = ["sub NS ns.other.example."];
  await using other = await startNamed({ zones: { [zone]: { records }, [reverse4]: {}, [reverse6]: {} } });
  const { run, log } = onServer({}, realMachine(), other);
  const rows = { a: { name: `pc9.sub.${zone}`, ips: ["10.0.0.9"] } };
  assert.deepEqual(await run(rows), { ...well, serving: false });
  assert.match(
    log.join("\n"),
    /pc9\.sub\.campus\.example: the server took .*10\.0\.0\.9.* and answers null.*delegation/,
  );
  assert.deepEqual(await run({}), well);
});
