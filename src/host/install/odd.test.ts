import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { emptyStore } from "../../../test/fixtures/empty-store.ts";
import { standingClock } from "../../../test/fixtures/install.ts";
import { Held } from "../../core/util/errors.ts";
import { dryMachine } from "../../machines/dry.ts";
import { realMachine } from "../../machines/real.ts";
import type { Machine } from "../../ports/machine.ts";
import { hostApi } from "../run/host-api.ts";
import { hostStore } from "../store/host-store.ts";
import { tagOf } from "./target.ts";

/** Keys in folders of their users, who put other things in the place of the file. On a real machine. */

const skip = process.getuid?.() === 0 ? false : "only root can give folders to another user";
const user = 61_003;

/** A service with a file of keys in the home of each user; all homes belong to one uid here. */
function homes(t: TestContext, { removable = undefined as ((files: number) => number) | undefined } = {}) {
  const top = fs.mkdtempSync(join(tmpdir(), "trigger-odd-"));
  fs.chmodSync(top, 0o755);
  t.after(() => fs.rmSync(top, { recursive: true, force: true }));
  const said: string[] = [];
  const stuck: string[] = [];
  const path = (...names: string[]): string => join(top, ...names);
  const keys = (name: string): string => path(name, ".ssh", "authorized_keys");
  const mine = (made: string): void => fs.lchownSync(made, user, user);
  fs.mkdirSync(path("secret"), { mode: 0o700 });
  fs.writeFileSync(path("secret", "shadow"), "root:hash\n");
  for (const name of ["alice", "bob", "mallory"]) {
    for (const folder of [path(name), path(name, ".ssh")]) {
      fs.mkdirSync(folder, { mode: 0o700 });
      mine(folder);
    }
  }
  const [database, clock] = [emptyStore(), standingClock()];
  const words = (machine = realMachine({ scratch: path("scratch"), kept: path("kept") })) =>
    hostApi({
      ...{ name: "box", store: hostStore(database).service("keys"), machine, clock, secret: false, removable },
      ...{ signal: new AbortController().signal, log: (line: string) => void said.push(line) },
    });
  return {
    ...{ path, keys, mine, said, stuck, clock },
    /** Installs keys for these users, and for no others. */
    async give(texts: Record<string, string>, machine?: Machine) {
      const files = Object.entries(texts).map(([name, text]) => ({ path: keys(name), text }));
      const run = words(machine);
      await run.host.install(files, { all: true });
      stuck.push(run.blocked() ?? "");
    },
    read: (name: string): string => fs.readFileSync(keys(name), "utf8"),
    /** The files kept aside of the keys of a user: in the state, or moved to `.trigger`. */
    asides: (name: string): string[] =>
      [path("kept"), path(name, ".ssh", ".trigger")]
        .flatMap((folder) => fs.globSync(join(folder, "**", `${tagOf(keys(name))}.aside.*`)))
        .sort(),
    /** Puts a thing in the place of the keys of mallory. */
    put(make: (at: string) => void): void {
      fs.rmSync(keys("mallory"), { force: true, recursive: true });
      make(keys("mallory"));
      mine(keys("mallory"));
    },
  };
}

const all = { alice: "a1\n", bob: "b1\n", mallory: "m1\n" };

test("a symlink in a removed file's place is removed, its target untouched", {
  skip,
}, async (t) => {
  const { give, put, path, keys, said, asides, stuck, clock } = homes(t);
  await give(all);
  fs.writeFileSync(path("mallory", ".ssh", "other"), "her own\n");
  for (const target of [path("mallory", ".ssh", "other"), path("secret", "shadow"), "nowhere"]) {
    await give(all);
    clock.advance(60_000);
    put((at) => fs.symlinkSync(target, at));
    await give({ alice: "a2\n", bob: "b1\n" });
    assert.equal(fs.lstatSync(keys("mallory"), { throwIfNoEntry: false }), undefined);
    assert.match(said.join("\n"), new RegExp(`is a symlink to ${target} \\(uid ${user}\\), .*: it is removed`));
    const [kept = ""] = asides("mallory").slice(-1);
    assert.ok(fs.lstatSync(kept).isFile(), "a line, not a link that a program may follow");
    assert.equal(fs.readFileSync(kept, "utf8"), `a symlink to ${target} (uid ${user})\n`);
  }
  assert.equal(fs.readFileSync(path("mallory", ".ssh", "other"), "utf8"), "her own\n");
  assert.equal(fs.readFileSync(path("secret", "shadow"), "utf8"), "root:hash\n");
  assert.doesNotMatch(said.join("\n"), /root:hash/);
  assert.deepEqual([...new Set(stuck)], [""]);
});

test("a symlink in a changed file's place is replaced by a file of root", {
  skip,
}, async (t) => {
  const { give, put, path, keys, read, said } = homes(t);
  await give(all);
  put((at) => fs.symlinkSync(path("secret", "shadow"), at));
  await give({ ...all, alice: "a2\n", mallory: "m2\n" });
  assert.deepEqual([read("alice"), read("mallory")], ["a2\n", "m2\n"]);
  const { mode, uid } = fs.lstatSync(keys("mallory"));
  assert.deepEqual([mode & 0o7777, uid], [0o644, 0]);
  assert.equal(fs.readFileSync(path("secret", "shadow"), "utf8"), "root:hash\n");
  assert.match(said.join("\n"), /is a symlink to .*shadow .*: it is replaced, a copy is kept/);
});

test("anything in a removed file's place is removed, and delays no other file", {
  skip,
}, async (t) => {
  const kinds: Record<string, (at: string) => void> = {
    directory: (at) => {
      fs.mkdirSync(at);
      fs.writeFileSync(join(at, "full"), "");
    },
    fifo: (at) => void execFileSync("mkfifo", [at]),
    large: (at) => {
      fs.writeFileSync(at, "");
      fs.truncateSync(at, 3 * 2 ** 30);
    },
  };
  for (const [kind, make] of Object.entries(kinds)) {
    const { give, put, keys, read, stuck, asides } = homes(t);
    await give(all);
    put(make);
    await give({ alice: "a2\n", mallory: "m2\n" });
    assert.equal(read("mallory"), "m2\n", kind);
    put(make);
    await give({ alice: "a3\n" });
    assert.equal(fs.lstatSync(keys("mallory"), { throwIfNoEntry: false }), undefined, kind);
    assert.equal(read("alice"), "a3\n", kind);
    assert.equal(asides("mallory").length, 2, kind);
    assert.deepEqual([...new Set(stuck)], [""], kind);
  }
});

test("a hand edit of a million lines is kept aside and not compared", { skip }, async (t) => {
  const { give, put, read, said, clock } = homes(t);
  await give(all);
  for (const text of ["\n".repeat(60 << 20), "x".repeat(7 << 20)]) {
    put((at) => fs.writeFileSync(at, text));
    await give(all);
    assert.equal(read("mallory"), "m1\n");
    clock.advance(60_000);
  }
  assert.match(said.join("\n"), /the difference is too long to be shown/);
  assert.ok(said.join("").length < 10_000, "what a user wrote floods no log");
});

test("a file is removed although its user holds a lease on it", { skip }, async (t) => {
  const { give, put, keys, read, stuck } = homes(t);
  await give(all);
  put((at) => fs.writeFileSync(at, "his own\n"));
  // F_SETLEASE with F_WRLCK: no program can open the file without waiting.
  const script =
    '$SIG{IO} = "IGNORE"; open(F, "+<", $ARGV[0]) && fcntl(F, 1024, 1) or die; syswrite(STDOUT, "held"); sleep';
  const child = spawn("perl", ["-e", script, keys("mallory")], {
    ...{ uid: user, gid: user },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  await give({ alice: "a2\n" });
  assert.equal(read("alice"), "a2\n");
  assert.ok(!fs.existsSync(keys("mallory")));
  assert.deepEqual([...new Set(stuck)], [""]);
});

test("a hard link in a removed file's place is removed, its other name stays", { skip }, async (t) => {
  const { give, put, path, keys } = homes(t);
  await give(all);
  fs.writeFileSync(path("theirs"), "theirs\n");
  fs.rmSync(keys("mallory"));
  fs.linkSync(path("theirs"), keys("mallory"));
  await give({ ...all, mallory: "m2\n" });
  put((at) => fs.linkSync(path("theirs"), at));
  await give({ alice: "a1\n" });
  assert.ok(!fs.existsSync(keys("mallory")));
  assert.equal(fs.readFileSync(path("theirs"), "utf8"), "theirs\n");
});

test("a file is removed although its user rewrites it again and again", { skip }, async (t) => {
  const { give, put, keys, clock } = homes(t);
  await give(all);
  const edit = (n: number): void => put((at) => fs.writeFileSync(at, `edit ${n}\n`));
  for (const n of [1, 2]) {
    edit(n);
    await give(all);
    clock.advance(60_000);
  }
  edit(3);
  await assert.rejects(give(all), Held);
  await give({ alice: "a2\n" });
  assert.ok(!fs.existsSync(keys("mallory")));
});

test("a folder replaced by a symlink is reported, and delays no other file", {
  skip,
}, async (t) => {
  const { give, path, keys, mine, read, stuck } = homes(t);
  await give(all);
  fs.renameSync(path("mallory", ".ssh"), path("mallory", "real"));
  fs.symlinkSync("real", path("mallory", ".ssh"));
  mine(path("mallory", ".ssh"));
  for (const texts of [
    { ...all, alice: "a2\n", mallory: "m2\n" },
    { alice: "a3\n", bob: "b1\n" },
  ]) {
    await give(texts);
    assert.equal(read("alice"), texts.alice);
    const fault = stuck.at(-1) ?? "";
    assert.ok(fault.includes(keys("mallory")) && /is a symlink .* not followed/.test(fault), fault);
    assert.match(fault, /namei -l .*mallory\/\.ssh\/authorized_keys/);
    assert.equal(fs.readFileSync(path("mallory", "real", "authorized_keys"), "utf8"), "m1\n");
  }
  fs.rmSync(path("mallory", ".ssh"));
  fs.renameSync(path("mallory", "real"), path("mallory", ".ssh"));
  await give({ alice: "a3\n", bob: "b1\n" });
  assert.ok(!fs.existsSync(keys("mallory")));
  assert.equal(stuck.at(-1), "");
});

test("a folder that becomes a link at any moment delays no other file", { skip }, async (t) => {
  const { give, path, mine, read, stuck, clock } = homes(t);
  const [folder, away] = [path("mallory", ".ssh"), path("mallory", "away")];
  const block = (): void => {
    fs.renameSync(folder, away);
    fs.symlinkSync("../secret", folder);
    mine(folder);
  };
  let blocked = 0;
  for (let moment = 1; moment <= 45; moment += 3) {
    clock.advance(3_600_000);
    await give(
      { alice: "a\n", bob: "b\n", mallory: "m\n" },
      watched(() => {}),
    );
    let seen = 0;
    const machine = watched(() => {
      seen += 1;
      if (seen === moment) block();
    });
    await give({ alice: `a${moment}\n`, ...(moment % 2 === 0 && { mallory: `m${moment}\n` }) }, machine);
    if (stuck.at(-1)) blocked += 1;
    assert.equal(read("alice"), `a${moment}\n`, `at moment ${moment}`);
    assert.ok(!fs.existsSync(path("bob", ".ssh", "authorized_keys")), `at moment ${moment}`);
    if (!fs.existsSync(away)) continue;
    fs.rmSync(folder);
    fs.renameSync(away, folder);
  }
  assert.ok(blocked > 5, `${blocked} times in the way`);
  assert.deepEqual(fs.readdirSync(path("secret")), ["shadow"]);
});

/** A real machine that announces each operation in the home of mallory. */
function watched(about: () => void): Machine {
  const machine = realMachine();
  const files = Object.entries(machine.files).map(([name, work]) => [
    name,
    (path: string, ...more: unknown[]) => {
      if (path.includes("/mallory/")) about();
      // A disk under load would make this test slow.
      return name === "sync" ? machine.files.stat(path) : work(path, ...more);
    },
  ]);
  return { ...machine, files: Object.fromEntries(files) };
}

test("a removed link counts as a removed file", { skip }, async (t) => {
  const { give, put } = homes(t, { removable: () => 0 });
  await give(all);
  put((at) => fs.symlinkSync("nowhere", at));
  await assert.rejects(give({ alice: "a1\n", bob: "b1\n" }), /1 files .* would be removed, at most 0/);
});

test("a dry install shows the removal or replacement of a link", { skip }, async (t) => {
  const { give, put, path, keys } = homes(t);
  await give(all);
  put((at) => fs.symlinkSync(path("secret", "shadow"), at));
  const leaving = dryMachine(realMachine());
  await give({ alice: "a1\n", bob: "b1\n" }, leaving);
  assert.deepEqual(leaving.noted().changes, [`remove ${keys("mallory")}`]);
  const changing = dryMachine(realMachine());
  await give(all, changing);
  assert.deepEqual(
    changing.noted().files.map(({ path, before, after }) => [path, before, after]),
    [[keys("mallory"), undefined, "m1\n"]],
  );
  assert.ok(fs.lstatSync(keys("mallory")).isSymbolicLink());
});
