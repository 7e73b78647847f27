import assert from "node:assert/strict";
import { test } from "node:test";
import { hostApiIn, hostIn, installerIn, installScene, other, path, stepsFor } from "../../../test/fixtures/install.ts";
import { installStatus } from "../../../test/fixtures/install-status.ts";
import { Away, Fatal, Later, reason } from "../../core/util/errors.ts";

test("a text is checked, installed, reloaded and probed, and the second time left alone", async () => {
  const { install, daemon, text, folder } = installScene({ [path]: "old" });
  assert.equal(await install("new"), "serving");
  assert.equal(text(), "new");
  assert.equal(daemon.running.get(path), "new");
  assert.equal(await install("new"), "unchanged");
  assert.equal(daemon.reloads, 1);
  assert.equal(daemon.checks.length, 1);
  const kinds = (await folder()).map((name) => name.split(".")[3]);
  assert.deepEqual(kinds.sort(), ["aside", "good", "mine"]);
});

test("an install without a probe is applied; a later probe needs no reload", async () => {
  const { daemon, machine, database, clock, install } = installScene();
  const api = hostApiIn({ machine, database, clock });
  assert.equal(api.serving(), undefined);
  assert.equal(await api.host.install({ path, text: "new" }, { reload: ["reloadd"] }), "applied");
  assert.equal(api.serving(), undefined);
  assert.equal(await install("new"), "serving");
  assert.equal(daemon.reloads, 1);
});

test("several files are one transaction: one refused file rejects all", async () => {
  const { machine, database, clock, daemon } = installScene({ [path]: "a1", [other]: "b1" });
  const host = hostIn({ machine, database, clock });
  const install = (a: string, b: string) => {
    const files = [
      { path, text: a },
      { path: other, text: b },
    ];
    return host.install(files, stepsFor(files));
  };
  await assert.rejects(install("a2", "bad b2"), Fatal);
  assert.deepEqual([machine.text(path), machine.text(other)], ["a1", "b1"]);
  assert.equal(await install("a2", "b2"), "serving");
  assert.equal(daemon.reloads, 1);
  assert.equal(await install("a2", "b3"), "serving");
  assert.deepEqual([daemon.running.get(path), daemon.running.get(other)], ["a2", "b3"]);
});

test("a check that fails on the last good text too blames no text", async () => {
  const { install, daemon, text } = installScene();
  await install("good");
  daemon.machine.program("checkd", () => ({ code: 127, stderr: "no such program" }));
  await assert.rejects(
    install("next"),
    (error) => !(error instanceof Fatal) && /no text is to blame/.test(reason(error)),
  );
  assert.equal(text(), "good");
});

test("a text that fails its reload is tried three times, then given up", async () => {
  const { install, daemon, text, clock, machine, database } = installScene();
  await install("good");
  const reloads = () => daemon.reloads - 1;
  for (const tried of [1, 2]) {
    await assert.rejects(install("broken"), Later);
    assert.equal(text(), "good");
    assert.equal(daemon.running.get(path), "good");
    assert.equal(reloads(), 2 * tried);
    await assert.rejects(install("broken"), (error) => error instanceof Later && error.after === 5000);
    assert.equal(reloads(), 2 * tried, "not closer than the spacing");
    clock.advance(5000);
  }
  await assert.rejects(install("broken"), Fatal);
  clock.advance(60_000);
  await assert.rejects(install("broken"), (error) => error instanceof Fatal && /cannot bind/.test(reason(error)));
  assert.equal(reloads(), 6);
  assert.equal(await install("good"), "serving", "its reload is done already");
  assert.equal(reloads(), 6);
  installerIn({ machine, database, clock }).forgive();
  await assert.rejects(install("broken"), Later);
  clock.advance(5000);
  assert.equal(await install("better"), "serving");
});

test("if the last good text fails its reload too, the reload stays pending", async () => {
  const { install, daemon, text, clock, database } = installScene();
  await install("good");
  daemon.down = true;
  for (let tried = 0; tried < 5; tried++) {
    await assert.rejects(
      install("next"),
      (error) => error instanceof Later && /no text is to blame/.test(reason(error)),
    );
    assert.equal(text(), "good");
    assert.deepEqual(installStatus(database).pending, [{ service: "demo", path }]);
    clock.advance(5000);
  }
  daemon.down = false;
  assert.equal(await install("next"), "serving");
  assert.deepEqual(installStatus(database).pending, []);
});

test("a reload without effect is noticed by the probe", async () => {
  const { install, daemon, clock } = installScene();
  await install("good");
  daemon.deaf = true;
  // The last good text is still served, as its own probe shows: so the new text is tried three times.
  await assert.rejects(install("next"), Later);
  daemon.deaf = false;
  clock.advance(5000);
  assert.equal(await install("next"), "serving");
  assert.equal(daemon.running.get(path), "next");
});

test("a first install that fails its reload restores the original, or its absence", async () => {
  const found = installScene({ [path]: "theirs" });
  await assert.rejects(found.install("broken"), Later);
  assert.equal(found.text(), "theirs");
  const nothing = installScene();
  await assert.rejects(nothing.install("broken"), Later);
  assert.equal(nothing.text(), undefined);
});

test("an unfinished install is settled although the new text fails its check", async () => {
  const { install, daemon, clock, machine, database } = installScene();
  await install("good");
  machine.fail(/^run reloadd/, "EAGAIN", 2);
  await assert.rejects(install("next"), Later);
  assert.equal(installStatus(database).pending.length, 1);
  clock.advance(5000);
  const before = daemon.reloads;
  await assert.rejects(install("bad"), Fatal);
  assert.equal(daemon.reloads, before + 1);
  assert.deepEqual(installStatus(database).pending, []);
});

test("a symlink stays, and its target keeps owner and mode", async () => {
  const { machine, database, clock } = installScene({ "/srv/real.conf": "older" });
  machine.place("/srv/real.conf", "old", { mode: 0o640, uid: 7, gid: 8 });
  machine.symlink("/srv/real.conf", "/etc/link.conf");
  await hostIn({ machine, database, clock }).install({ path: "/etc/link.conf", text: "new", mode: 0o600 });
  assert.equal((await machine.files.stat("/etc/link.conf"))?.kind, "symlink");
  const { mode, uid, gid } = (await machine.files.stat("/srv/real.conf"))!;
  assert.deepEqual([mode, uid, gid, machine.text("/srv/real.conf")], [0o640, 7, 8, "new"]);
});

test("a secret service's files have mode 0600, and no log shows their text", async () => {
  const { install, machine, said, folder } = installScene({ [path]: "old password\n" }, { secret: true });
  await install("password1\n");
  machine.place(path, "password2\n", { mode: 0o644 });
  await install("password1\n");
  await assert.rejects(install("bad password3\n"), (error) => !reason(error).includes("is bad"));
  assert.equal((await machine.files.stat(path))?.mode, 0o600);
  for (const name of (await folder()).filter((each) => each.includes(".aside."))) {
    assert.equal((await machine.files.stat(`/etc/demo/.trigger/${name}`))?.mode, 0o600);
  }
  assert.equal((await machine.files.stat("/etc/demo/.trigger"))?.mode, 0o700);
  assert.doesNotMatch(said.join("\n"), /password/);
});

test("a check within a main file sees the staged file included", async () => {
  const main = "/etc/demo/main.conf";
  const { machine, database, clock } = installScene({
    [main]: `include "${path}";\n# not ${path}.bak\n`,
    [path]: "old",
  });
  let seen = "";
  machine.program("wholed", ({ arguments: [name = ""] }) => {
    const included = machine.text(name)?.match(/"(.*)"/)?.[1] ?? "";
    seen = `${machine.text(included)} ${machine.text(name)?.split("\n")[1]}`;
    return {};
  });
  const host = hostIn({ machine, database, clock });
  await host.install({ path, text: "new", within: main }, { check: ["wholed", "{staged}"] });
  assert.equal(seen, `new # not ${path}.bak`);
  machine.place(main, "nothing\n");
  const blind = host.install({ path, text: "newer", within: main }, { check: ["wholed", "{staged}"] });
  await assert.rejects(blind, /does not mention/);
});

test("an install after a failed fsync stages its file again", async () => {
  const { install, machine, text, folder } = installScene();
  await install("good");
  for (const step of [/^sync .*staged/, /^sync \/etc\/demo$/]) {
    machine.fail(step, "EIO");
    await assert.rejects(install("next"), /EIO/);
    assert.equal(text(), "good");
    assert.equal(
      (await folder()).some((name) => name.includes(".staged.")),
      false,
    );
  }
  assert.equal(await install("next"), "serving");
  machine.powerCut();
  assert.equal(text(), "next");
});

test("a full disk leaves file and daemon as they were", async () => {
  const { install, machine, text, daemon } = installScene();
  await install("good");
  machine.fail(/^write .*staged/, "ENOSPC");
  await assert.rejects(install("next"), /ENOSPC/);
  assert.equal(text(), "good");
  assert.equal(daemon.reloads, 1);
});

test("an install removes a crash's staged files and makes missing directories", async () => {
  const { machine, database, clock } = installScene();
  const host = hostIn({ machine, database, clock });
  await host.install({ path: "/srv/a/b/c.conf", text: "one" });
  const [mine = "", good] = await machine.files.list("/srv/a/b/.trigger");
  assert.equal(good, undefined, "there was nothing to keep");
  await host.install({ path: "/srv/a/b/c.conf", text: "two" });
  const [name = ""] = (await machine.files.list("/srv/a/b/.trigger")).filter((each) => each !== mine);
  machine.place(`/srv/a/b/.trigger/${name.replace(/\.good\..*/, ".staged.left")}`, "half");
  await host.install({ path: "/srv/a/b/c.conf", text: "two" });
  assert.deepEqual(await machine.files.list("/srv/a/b/.trigger"), [name, mine].sort());
});

test("a file that cannot be installed is an error with the reason", async () => {
  const { machine, database, clock } = installScene({ "/etc/demo/d/x": "" });
  const host = hostIn({ machine, database, clock });
  await assert.rejects(host.install({ path: "demo.conf", text: "" }), /absolute path, found "demo.conf"/);
  await assert.rejects(host.install({ path: "/etc/demo/d", text: "" }), /is not a file but a directory/);
  const twice = [
    { path, text: "" },
    { path: "/etc/demo/../demo/hosts.conf", text: "" },
  ];
  await assert.rejects(host.install(twice), /is listed twice in one install/);
  const steps = { check: ["checkd", "{staged:/etc/typo}"] as const };
  await assert.rejects(host.install({ path, text: "" }, steps), /names no file of this install/);
});

test("an aborted run leaves its install unfinished, and the next one settles it", async () => {
  const { daemon, machine, database, clock, install } = installScene();
  await install("good");
  const ending = new AbortController();
  machine.program("stopper", async () => {
    ending.abort(new Error("stopped"));
    throw new Error("killed");
  });
  const host = hostIn({ machine, database, clock, signal: ending.signal });
  await assert.rejects(host.install({ path, text: "next" }, { reload: ["stopper"] }), /stopped/);
  assert.equal(installStatus(database).pending.length, 1);
  assert.equal(await install("next"), "serving");
  assert.equal(daemon.running.get(path), "next");
});

test("a text for an absent daemon is installed, and its reload stays pending", async () => {
  const { database, machine, clock, text, install, daemon } = installScene({ [path]: "old" });
  const away = () => Promise.reject(new Away("no daemon answers"));
  const host = hostIn({ machine, database, clock });
  await assert.rejects(host.install({ path, text: "new" }, { reload: away }), Away);
  assert.equal(text(), "new");
  assert.equal(installStatus(database).pending.length, 1);
  daemon.boot();
  assert.equal(await install("new"), "serving");
  assert.equal(installStatus(database).pending.length, 0);
});

test("a new file gets the given owner, an existing file keeps its own", async () => {
  const { install, machine } = installScene({ [path]: "old" });
  const owner = { uid: 7, gid: 8 };
  await install("new", { owner });
  assert.notEqual((await machine.files.stat(path))?.uid, 7);
  const fresh = installScene();
  await fresh.install("new", { owner });
  const stat = await fresh.machine.files.stat(path);
  assert.deepEqual([stat?.uid, stat?.gid], [7, 8]);
});
