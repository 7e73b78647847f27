import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyStore } from "../../../test/fixtures/empty-store.ts";
import { hostIn, installScene, path } from "../../../test/fixtures/install.ts";
import { installStatus } from "../../../test/fixtures/install-status.ts";
import { Held } from "../../core/util/errors.ts";
import { hostStore } from "../store/host-store.ts";

test("an empty file is held, the very text taken over with a word", async () => {
  const { machine, database, clock, said } = installScene();
  const host = hostIn({ machine, database, clock, log: (line) => void said.push(line) });
  machine.place("/etc/same", "ours\n");
  await host.install({ path: "/etc/same", text: "ours\n" });
  assert.match(
    said.join("\n"),
    /^\/etc\/same has the very text, but trigger did not write it: it is trigger's from now on$/m,
  );
  said.length = 0;
  await host.install({ path: "/etc/same", text: "ours\n" });
  assert.deepEqual(said, []);
  machine.place("/etc/empty", "");
  await assert.rejects(host.install({ path: "/etc/empty", text: "ours\n" }), Held);
  assert.equal(machine.text("/etc/empty"), "");
  const { records } = hostStore(database).service("demo");
  assert.ok(records.approve(records.conflicts()?.digest));
  await host.install({ path: "/etc/empty", text: "ours\n" });
  assert.equal(machine.text("/etc/empty"), "ours\n");
});

test("an existing file that differs is held until its digest is approved", async () => {
  const { machine, database, clock, said } = installScene();
  const host = hostIn({ machine, database, clock, log: (line) => void said.push(line) });
  machine.place(path, "theirs\n");
  for (const _ of [1, 2]) await assert.rejects(host.install({ path, text: "ours\n" }), Held);
  assert.equal(machine.text(path), "theirs\n");
  assert.match(said.join("\n"), /-theirs\n\+ours/);
  const approve = () =>
    hostStore(database)
      .service("demo")
      .records.approve(hostStore(database).service("demo").records.conflicts()?.digest);
  const shown = hostStore(database).service("demo").records.conflicts()?.digest;
  machine.place(path, "theirs, moved\n");
  assert.equal(approve(), true);
  await assert.rejects(host.install({ path, text: "ours\n" }), Held, "what moved since is shown again");
  assert.notEqual(hostStore(database).service("demo").records.conflicts()?.digest, shown);
  assert.equal(hostStore(database).service("demo").records.approve(shown), false);
  assert.equal(machine.text(path), "theirs, moved\n");
  approve();
  await host.install({ path, text: "ours\n" });
  assert.equal(machine.text(path), "ours\n");
  assert.equal(hostStore(database).service("demo").records.conflicts(), undefined);
});

test("a file of ours remains ours after the loss of the store", async () => {
  const { machine, clock } = installScene();
  await hostIn({ machine, database: emptyStore(), clock }).install({ path, text: "one" });
  await hostIn({ machine, database: emptyStore(), clock }).install({ path, text: "two" });
  assert.equal(machine.text(path), "two");
});

test("a hand edit is replaced and kept aside; the third in an hour holds", async () => {
  const { install, machine, text, said, folder, clock, database } = installScene();
  await install("ours\n");
  for (const fight of [1, 2]) {
    machine.place(path, `theirs ${fight}\n`);
    assert.equal(await install("ours\n"), "serving");
    assert.equal(text(), "ours\n");
    assert.match(said.at(-1) ?? "", new RegExp(`-theirs ${fight}\n\\+ours`));
    clock.advance(60_000);
  }
  const asides = (await folder()).filter((name) => name.includes(".aside."));
  assert.deepEqual(
    asides.map((name) => machine.text(`/etc/demo/.trigger/${name}`)),
    ["theirs 1\n", "theirs 2\n"],
  );
  machine.place(path, "theirs 3\n");
  const held = (error: unknown) =>
    error instanceof Held && error.message.includes(path) && /2026-01-01T00:02/.test(error.message);
  await assert.rejects(install("ours\n"), held);
  clock.advance(2 * 60 * 60_000);
  await assert.rejects(install("ours\n"), held);
  assert.equal(text(), "theirs 3\n");
  assert.equal(installStatus(database).held.length, 1);
  const approve = () =>
    hostStore(database)
      .service("demo")
      .records.approve(hostStore(database).service("demo").records.conflicts()?.digest);
  approve();
  machine.place(path, "theirs 4\n");
  await assert.rejects(install("ours\n"), held, "another text is shown again");
  approve();
  assert.equal(await install("ours\n"), "serving");
  machine.place(path, "theirs 5\n");
  assert.equal(await install("ours\n"), "serving", "and the count of edits begins again");
});

test("ten files are kept aside per path", async () => {
  const { install, machine, folder, clock } = installScene();
  await install("ours");
  for (let edit = 0; edit < 12; edit++) {
    machine.place(path, `theirs ${edit}`);
    await install("ours");
    clock.advance(40 * 60_000);
  }
  const asides = (await folder()).filter((name) => name.includes(".aside."));
  assert.equal(asides.length, 10);
  assert.equal(machine.text(`/etc/demo/.trigger/${asides[0]}`), "theirs 2");
});

test("a clock once ahead counts no later fight and displaces no newer copy", async () => {
  const { install, machine, folder, clock, text } = installScene();
  await install("ours");
  const year = 365 * 24 * 60 * 60_000;
  const edits = async (from: number, to: number): Promise<void> => {
    for (let edit = from; edit < to; edit++) {
      machine.place(path, `theirs ${edit}`);
      await install("ours");
      clock.advance(40 * 60_000);
    }
  };
  clock.advance(year);
  await edits(0, 10);
  clock.advance(-year);
  await edits(10, 12);
  const asides = (await folder()).filter((name) => name.includes(".aside."));
  const kept = asides.map((name) => machine.text(`/etc/demo/.trigger/${name}`));
  assert.equal(kept.length, 10);
  assert.ok(kept.includes("theirs 10") && kept.includes("theirs 11"), kept.join(", "));
  assert.equal(text(), "ours");
});

test("one last good file per path is retained, also after power cuts", async () => {
  const { install, machine, folder, text } = installScene();
  for (const wanted of ["first", "second", "third", "fourth"]) {
    await install(wanted);
    machine.powerCut();
    assert.equal(text(), wanted);
  }
  const kept = (await folder()).filter((name) => name.includes(".good."));
  assert.equal(kept.length, 1, kept.join(", "));
});

test("a removed file is put back", async () => {
  const { install, machine, text } = installScene();
  await install("ours");
  await machine.files.remove(path);
  assert.equal(await install("ours"), "serving");
  assert.equal(text(), "ours");
});

test("a path belongs to one service, also through a symlink", async () => {
  const { install, machine, database, clock } = installScene();
  await install("ours");
  machine.symlink(path, "/etc/alias.conf");
  const rival = hostIn({ machine, database, clock, service: "rival" });
  await assert.rejects(rival.install({ path: "/etc/alias.conf", text: "x" }), /"demo".*"rival"/);
});

test("a file of ours remains ours after a power cut loses the store", async () => {
  const { machine, clock } = installScene();
  await hostIn({ machine, database: emptyStore(), clock }).install({ path, text: "one" });
  machine.powerCut();
  await hostIn({ machine, database: emptyStore(), clock }).install({ path, text: "two" });
  assert.equal(machine.text(path), "two");
});

test("a copy kept aside survives a power cut", async () => {
  const { install, machine, folder } = installScene();
  await install("ours");
  machine.place(path, "theirs");
  await install("ours");
  machine.powerCut();
  const asides = (await folder()).filter((name) => name.includes(".aside."));
  assert.deepEqual(
    asides.map((name) => machine.text(`/etc/demo/.trigger/${name}`)),
    ["theirs"],
  );
});
