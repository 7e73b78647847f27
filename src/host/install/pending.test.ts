import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyStore } from "../../../test/fixtures/empty-store.ts";
import {
  hostApiIn,
  hostIn,
  installerIn,
  simulatedDaemon,
  standingClock,
  stepsFor,
} from "../../../test/fixtures/install.ts";
import { installStatus } from "../../../test/fixtures/install-status.ts";
import { Fatal, Later, reason } from "../../core/util/errors.ts";

// Files that the journal counts as applied, while their daemon may not have them, or must read them again.

const path = "/etc/demo/hosts.conf";
const other = "/etc/demo/zones.conf";

function scene() {
  const daemon = simulatedDaemon([path, other]);
  const { machine } = daemon;
  const said: string[] = [];
  const clock = standingClock();
  const all = { machine, database: emptyStore(), clock, log: (line: string) => void said.push(line) };
  const install = (text: string, { unsure = false, at = path } = {}) => {
    const file = { path: at, text };
    return hostIn({ ...all, unsure }).install(file, stepsFor([file]));
  };
  const pending = () => installStatus(all.database).pending.map(({ path }) => path);
  const asides = async () => (await machine.files.list("/etc/demo/.trigger")).filter((name) => /\.aside\./.test(name));
  return { ...all, daemon, said, install, pending, asides, owe: () => installerIn(all).requireReload() };
}

const noTextIsToBlame = (error: unknown): boolean =>
  !(error instanceof Fatal) && /no text is to blame/.test(reason(error));

test("only an unsure run reloads a daemon that lost its state", async () => {
  const { install, daemon, said, asides } = scene();
  await install("good");
  daemon.running.clear();
  assert.equal(await install("good"), "unchanged");
  assert.equal(daemon.reloads, 1);
  assert.equal(await install("good", { unsure: true }), "serving");
  assert.equal(daemon.reloads, 2);
  assert.equal(daemon.running.get(path), "good");
  assert.match(said.join(), /the probe failed, so it is reloaded: .*is not served/);
  assert.deepEqual(await asides(), []);
});

test("an unsure run whose probe passes reloads nothing", async () => {
  const { install, daemon, pending } = scene();
  await install("good");
  assert.equal(await install("good", { unsure: true }), "unchanged");
  assert.equal(daemon.reloads, 1);
  assert.equal(daemon.checks.length, 1);
  assert.deepEqual(pending(), []);
});

test("an unsure run without a probe reloads nothing and is not serving", async () => {
  const { install, daemon, ...all } = scene();
  await install("good");
  daemon.running.clear();
  const api = hostApiIn({ ...all, unsure: true });
  assert.equal(await api.host.install({ path, text: "good" }, { reload: ["reloadd"] }), "unchanged");
  assert.equal(api.serving(), undefined);
  assert.equal(daemon.reloads, 1);
});

test("a good text is never blamed, and its reload stays pending", async () => {
  const { install, daemon, pending, machine, clock, asides, database } = scene();
  await install("good");
  daemon.running.clear();
  daemon.down = true;
  for (let tried = 1; tried <= 5; tried++) {
    await assert.rejects(
      install("good", { unsure: true }),
      (error) => error instanceof Later && noTextIsToBlame(error),
    );
    assert.equal(daemon.reloads, 1 + tried, "it is not compared with itself");
    await assert.rejects(install("good", { unsure: true }), Later);
    assert.equal(daemon.reloads, 1 + tried, "not closer than the spacing");
    assert.deepEqual(pending(), [path]);
    assert.equal(machine.text(path), "good");
    clock.advance(5000);
  }
  daemon.down = false;
  assert.equal(await install("good"), "serving", "it is a unfinished: also a run that is sure pays it");
  assert.equal(daemon.running.get(path), "good");
  assert.deepEqual(pending(), []);
  assert.deepEqual(installStatus(database).edits, []);
  assert.deepEqual(await asides(), []);
});

test("a check that fails on the applied text does not stop its pending reload", async () => {
  const { install, daemon, pending, machine } = scene();
  await install("good");
  daemon.running.clear();
  // Once: the same text would pass a second time, and would seem to be to blame.
  machine.fail(/^run checkd/, "EAGAIN");
  await assert.rejects(install("good", { unsure: true }), noTextIsToBlame);
  assert.equal(daemon.running.get(path), "good");
  assert.deepEqual(pending(), []);
  assert.equal(await install("good", { unsure: true }), "serving");
  assert.equal(daemon.reloads, 2);
});

test("a run aborted during its probe leaves no reload pending", async () => {
  const { install, daemon, pending, machine, ...all } = scene();
  await install("good");
  const ending = new AbortController();
  const host = hostIn({ ...all, machine, unsure: true, signal: ending.signal });
  const stopped = async () => {
    ending.abort(new Error("stopped"));
    throw new Error("killed");
  };
  await assert.rejects(host.install({ path, text: "good" }, { reload: ["reloadd"], probe: stopped }), /stopped/);
  assert.deepEqual(pending(), []);
  assert.equal(daemon.reloads, 1);
});

test("a required reload checks, reloads and probes each file once", async () => {
  const { install, daemon, owe, pending, database, asides } = scene();
  await install("one");
  await install("two", { at: other });
  owe();
  owe();
  assert.deepEqual(pending(), [path, other]);
  assert.equal(await install("one"), "serving");
  assert.deepEqual(pending(), [other], "each install of a service pays for itself");
  assert.equal(await install("two", { at: other }), "serving");
  assert.deepEqual([daemon.reloads, daemon.checks.length], [4, 4]);
  assert.equal(await install("one", { unsure: true }), "unchanged");
  assert.equal(daemon.reloads, 4);
  assert.deepEqual(installStatus(database).edits, []);
  assert.deepEqual(await asides(), []);
});

test("a required reload covers neither uninstalled files nor those of another service", async () => {
  const { install, pending, owe, clock, ...all } = scene();
  await assert.rejects(install("broken"), Later);
  await hostIn({ ...all, clock, service: "rival" }).install({ path: other, text: "theirs" });
  owe();
  assert.deepEqual(pending(), []);
});

test("a text that fails after a required reload is rolled back", async () => {
  const { install, owe, daemon, machine, clock, pending } = scene();
  await install("older");
  await install("good");
  owe();
  await assert.rejects(install("broken"), (error) => error instanceof Later && /is restored/.test(reason(error)));
  assert.deepEqual([machine.text(path), daemon.running.get(path)], ["good", "good"]);
  assert.deepEqual(pending(), []);
  clock.advance(5000);
  assert.equal(await install("better"), "serving");
});

test("a text that fails its check does not stop a required reload", async () => {
  const { install, owe, daemon, machine, pending } = scene();
  await install("good");
  owe();
  await assert.rejects(install("bad"), Fatal);
  assert.equal(daemon.reloads, 2);
  assert.equal(machine.text(path), "good");
  assert.deepEqual(pending(), []);
});

test("a required reload neither applies a hand edit unchecked nor overwrites it unseen", async () => {
  const { install, owe, daemon, machine, pending, asides, clock, database } = scene();
  await install("good");
  owe();
  machine.place(path, "theirs");
  await assert.rejects(install("bad"), /check of .* failed/);
  assert.deepEqual([machine.text(path), daemon.reloads], ["theirs", 1]);
  assert.deepEqual(pending(), [path]);
  clock.advance(5000);
  assert.equal(await install("good"), "serving");
  assert.deepEqual(
    (await asides()).map((name) => machine.text(`/etc/demo/.trigger/${name}`)),
    ["theirs"],
  );
  assert.equal(installStatus(database).edits.length, 1);
});

test("a reload required during the probe is done", async () => {
  const { install, owe, pending, daemon, ...all } = scene();
  await install("good");
  const host = hostIn({ ...all, unsure: true });
  let asks = 1;
  const probe = async () => {
    if (asks-- > 0) owe();
  };
  assert.equal(await host.install({ path, text: "good" }, { reload: ["reloadd"], probe }), "serving");
  assert.equal(daemon.reloads, 2);
  assert.deepEqual(pending(), []);
});

test("a file that a full run drops has no pending reload", async () => {
  const { install, owe, pending, daemon, ...all } = scene();
  await install("one");
  await install("two", { at: other });
  owe();
  const sure = hostApiIn(all);
  await sure.host.install({ path, text: "one" }, { reload: ["reloadd"] });
  sure.storeNotes();
  assert.deepEqual(pending(), [other], "a run with changes may leave files out");
  owe();
  const whole = hostApiIn({ ...all, unsure: true });
  daemon.down = true;
  await assert.rejects(whole.host.install({ path, text: "one" }, { reload: ["reloadd"] }));
  whole.storeNotes();
  assert.deepEqual(pending(), [path], "a failed reload is pending, even if the service catches the error");
});

test("a bad text is blamed although another file is the last good one", async () => {
  const { owe, daemon, ...all } = scene();
  const install = (text: string) => {
    const files = [
      { path, text: "good" },
      { path: other, text },
    ];
    return hostIn(all).install(files, stepsFor(files));
  };
  await install("good");
  owe();
  await assert.rejects(install("bad"), Fatal);
});

test("a clock that is set back by an hour delays no text", async () => {
  const { install, clock, machine } = scene();
  await install("good");
  await assert.rejects(install("broken"), Later);
  clock.advance(-60 * 60_000);
  await install("better");
  assert.equal(machine.text(path), "better");
});
