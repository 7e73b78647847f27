import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyStore } from "../../../test/fixtures/empty-store.ts";
import { installerIn, simulatedDaemon, standingClock, stepsFor } from "../../../test/fixtures/install.ts";
import { installStatus } from "../../../test/fixtures/install-status.ts";
import type { InstallSteps } from "../../core/service/host-api.ts";
import { Fatal, Held, Later } from "../../core/util/errors.ts";
import { hostApi } from "../run/host-api.ts";
import { hostStore } from "../store/host-store.ts";

/** Files that a service no longer wants: a service with a file per row. */

const folder = "/etc/keys";
const pathOf = (name: string): string => `${folder}/${name}`;

function keys(
  there: Record<string, string> = {},
  { removable = undefined as ((files: number) => number) | undefined } = {},
) {
  const daemon = simulatedDaemon(["alice", "bob", "carol"].map(pathOf), { files: there });
  const { machine } = daemon;
  const [database, clock] = [emptyStore(), standingClock()];
  const said: string[] = [];
  const stuck: string[] = [];
  const words = (signal: AbortSignal) =>
    hostApi({
      ...{ name: "box", store: hostStore(database).service("keys"), machine, clock, secret: false, removable },
      ...{ signal, log: (line: string) => void said.push(line) },
    });
  return {
    ...{ daemon, machine, database, clock, said, stuck },
    /** Installs a file for each name, with this text. */
    async give(
      texts: Record<string, string>,
      { all = true, ...steps }: InstallSteps = {},
      signal = new AbortController().signal,
    ) {
      const files = Object.entries(texts).map(([name, text]) => ({ path: pathOf(name), text }));
      const run = words(signal);
      const installed = await run.host.install(files, { ...stepsFor(files), ...steps, all });
      stuck.push(run.blocked() ?? "");
      return installed;
    },
    names: () => machine.files.list(folder),
    kept: () => machine.files.list(`${folder}/.trigger`),
    text: (name: string) => machine.text(pathOf(name)),
  };
}

test("a file that is no longer given is removed, with one reload", async () => {
  const { give, names, kept, daemon, database } = keys();
  await give({ alice: "a", bob: "b" });
  await give({ alice: "a" });
  assert.deepEqual(await names(), [".trigger", "alice"]);
  assert.deepEqual(
    (await kept()).map((name) => name.replace(/\.[0-9a-f]{8}\./, ".")),
    ["alice.mine"],
  );
  assert.equal(daemon.reloads, 2);
  assert.equal(daemon.running.get(pathOf("bob")), undefined);
  assert.equal(await give({ alice: "a" }), "unchanged");
  assert.equal(daemon.reloads, 2);
  await give({});
  assert.deepEqual(await names(), [], "the folder .trigger goes with the last one");
  assert.equal(daemon.reloads, 3);
  assert.equal(await give({}), "unchanged");
  assert.deepEqual(installStatus(database).pending, []);
});

test("an install without `all` removes no file", async () => {
  const { give, names } = keys();
  await give({ alice: "a", bob: "b" });
  await give({ alice: "a2" }, { all: false });
  assert.deepEqual(await names(), [".trigger", "alice", "bob"]);
});

test("a hand-edited file is shown and kept aside before its removal", async () => {
  const { give, names, kept, said, machine } = keys();
  await give({ alice: "a", bob: "b" });
  machine.place(pathOf("bob"), "by hand\n");
  await give({ alice: "a" });
  assert.deepEqual(await names(), [".trigger", "alice"]);
  const aside = (await kept()).find((name) => name.includes(".aside."));
  assert.equal(machine.text(`${folder}/.trigger/${aside}`), "by hand\n");
  assert.match(
    said.join("\n"),
    /bob was changed by another program: it is removed, a copy is kept as .*\n(.*\n)*-by hand/,
  );
});

test("a file that trigger did not write is never removed", async () => {
  const { give, names, text, daemon, database, clock } = keys({ [pathOf("carol")]: "theirs\n" });
  await give({ alice: "a" });
  await assert.rejects(give({ alice: "a", carol: "broken" }), Held);
  assert.ok(
    hostStore(database)
      .service("keys")
      .records.approve(hostStore(database).service("keys").records.conflicts()?.digest),
  );
  // The take-over fails, and the found file is restored.
  await assert.rejects(give({ alice: "a", carol: "broken" }), Later);
  assert.equal(text("carol"), "theirs\n");
  clock.advance(60_000);
  await give({});
  assert.deepEqual(await names(), [".trigger", "carol"]);
  assert.equal(text("carol"), "theirs\n");
  assert.equal(daemon.running.get(pathOf("carol")), "theirs\n");
});

test("a file that was taken over is removed like any other", async () => {
  const { give, names, database } = keys({ [pathOf("carol")]: "theirs\n" });
  await assert.rejects(give({ carol: "ours" }), Held);
  assert.ok(
    hostStore(database)
      .service("keys")
      .records.approve(hostStore(database).service("keys").records.conflicts()?.digest),
  );
  await give({ carol: "ours" });
  await give({});
  assert.deepEqual(
    (await names()).filter((name) => name !== ".trigger"),
    [],
  );
});

test("a removal whose reload fails is undone, and given up after three tries", async () => {
  const { give, text, daemon, clock, said } = keys();
  await give({ alice: "a", bob: "b" });
  // The daemon does not run without bob.
  const reload = async (): Promise<void> => {
    if (text("bob") === undefined) throw new Error("bob is missing");
    daemon.reloads += 1;
  };
  for (let tried = 1; tried <= 3; tried++) {
    await assert.rejects(give({ alice: "a" }, { reload }), tried < 3 ? Later : Fatal);
    assert.equal(text("bob"), "b", said.join("\n"));
    clock.advance(5000);
  }
  await give({ alice: "a", bob: "b" });
  assert.equal(text("bob"), "b");
});

test("an install that removes every file runs no check of staged files", async () => {
  const { give, names, daemon } = keys();
  await give({ alice: "a" });
  daemon.checks.length = 0;
  await give({}, { check: ["checkd", "{staged}"] });
  assert.deepEqual(daemon.checks, []);
  assert.deepEqual(await names(), []);
});

test("removals of files beyond the limit are held until their digest is approved", async () => {
  const { give, names, database, clock } = keys({}, { removable: () => 1 });
  await give({ alice: "a", bob: "b", carol: "c" });
  await assert.rejects(
    give({ alice: "a" }),
    (error) => error instanceof Held && /2 files .* at most 1/.test(error.message),
  );
  assert.equal((await names()).length, 4);
  await give({ alice: "a", bob: "b", carol: "c" });
  assert.equal(
    hostStore(database).service("keys").records.conflicts(),
    undefined,
    "they are given again: there is no question",
  );
  await assert.rejects(give({ alice: "a" }), Held);
  assert.ok(
    hostStore(database)
      .service("keys")
      .records.approve(hostStore(database).service("keys").records.conflicts()?.digest),
  );
  clock.advance(5000);
  await give({ alice: "a" });
  assert.deepEqual(await names(), [".trigger", "alice"]);
});

test("a question about files stays open for the few still to be removed", async () => {
  const { give, names } = keys({}, { removable: () => 1 });
  const all = { alice: "a", bob: "b", carol: "c" };
  await give(all);
  await assert.rejects(give({}), /3 files .* at most 1/);
  await assert.rejects(give({ alice: "a", bob: "b" }), /1 files .* a person was asked/);
  assert.equal((await names()).length, 4);
  await give(all);
  await give({ alice: "a", bob: "b" });
  assert.deepEqual(await names(), [".trigger", "alice", "bob"], "given again, it was forgotten");
});

test("an unused approval removes no file that was given again meanwhile", async () => {
  const { give, names, database } = keys({}, { removable: () => 1 });
  const all = { alice: "a", bob: "b", carol: "c" };
  await give(all);
  await assert.rejects(give({ alice: "a" }), Held);
  assert.ok(
    hostStore(database)
      .service("keys")
      .records.approve(hostStore(database).service("keys").records.conflicts()?.digest),
  );
  await give(all);
  await assert.rejects(give({ alice: "a" }), Held);
  assert.equal((await names()).length, 4);
});

test("a file that cannot be read stays, and delays no other", async () => {
  const { give, names, said, stuck, machine, text } = keys();
  await give({ alice: "a", bob: "b", carol: "c" });
  await machine.files.remove(pathOf("bob"));
  await machine.files.makeDirectory(pathOf("bob"));
  await machine.files.rename(pathOf("carol"), "/etc/carol");
  machine.symlink("/etc/carol", pathOf("carol"));
  await give({ alice: "a2" });
  assert.deepEqual(await names(), [".trigger", "alice", "bob", "carol"]);
  assert.equal(text("alice"), "a2");
  assert.equal(machine.text("/etc/carol"), "c");
  assert.match(stuck.at(-1) ?? "", /bob \(it is not wanted any more: .* is not a file but a directory.*namei -l .*bob/);
  assert.match(said.join("\n"), /carol is not wanted any more, but leads to \/etc\/carol: that file stays/);
  await machine.files.remove(pathOf("bob"));
  await give({ alice: "a2" });
  assert.equal(stuck.at(-1), "", "it is tried again");
});

test("a file that cannot be removed from a shared folder delays no other", async () => {
  const { give, names, stuck, machine, text, database } = keys();
  await give({ alice: "a", bob: "b", carol: "c" });
  await machine.files.chown(folder, 61_003, 61_003);
  machine.fail(/^remove \/etc\/keys\/bob$/, "EPERM", 2);
  for (const alice of ["a2", "a3"]) {
    await give({ alice });
    assert.deepEqual(await names(), [".trigger", "alice", "bob"]);
    assert.equal(text("alice"), alice);
    assert.match(stuck.at(-1) ?? "", /\/etc\/keys\/bob \(EPERM.*lsattr -d \/etc\/keys\/bob/);
  }
  await give({ alice: "a3" });
  assert.deepEqual(await names(), [".trigger", "alice"]);
  assert.deepEqual([stuck.at(-1), installStatus(database).pending], ["", []]);
});

test("in root's own folder a failed removal leaves every file as it was", async () => {
  const { give, names, machine, text } = keys();
  await give({ alice: "a", bob: "b" });
  machine.fail(/^remove \/etc\/keys\/bob$/, "EROFS");
  await assert.rejects(give({ alice: "a2" }), /EROFS/);
  assert.deepEqual([await names(), text("alice")], [[".trigger", "alice", "bob"], "a"]);
});

test("a trial of a text checks the given files and removes none", async () => {
  const { give, names, machine, database, clock } = keys();
  await give({ alice: "a", bob: "b" });
  const files = [{ path: pathOf("alice"), text: "bad" }];
  const trial = installerIn({ machine, database, clock, service: "keys" });
  const host = { signal: new AbortController().signal } as never;
  assert.match((await trial.tryOut(files, { ...stepsFor(files), all: true }, host)) ?? "", /is bad/);
  assert.deepEqual(await names(), [".trigger", "alice", "bob"]);
});

test("a first text whose install was cut off is ours after its reload", async () => {
  const { give, names, database, text } = keys();
  const ends = new AbortController();
  const reload = async (): Promise<void> => {
    ends.abort(new Error("the process stops"));
    throw new Error("ended");
  };
  await assert.rejects(give({ alice: "a" }, { reload }, ends.signal), /the process stops/);
  assert.equal(text("alice"), "a");
  // The next text is refused, and the text in place gets its pending reload.
  await assert.rejects(give({ alice: "bad" }), /no last good text/);
  assert.deepEqual([text("alice"), installStatus(database).pending], ["a", []]);
  await give({});
  assert.deepEqual(await names(), []);
});
