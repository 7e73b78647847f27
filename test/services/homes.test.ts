import assert from "node:assert/strict";
import { posix } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { RunResult } from "../../src/core/service/service.ts";
import { homes } from "../../src/services/homes.ts";
import type { MemoryMachine } from "../../src/testing/memory-machine.ts";
import { runs } from "../hostile.ts";
import { conform } from "./conform.ts";
import { anything } from "./hostile.ts";
import { entry, quietMachine, scene, selected, tableOf } from "./scene.ts";

const today = new Date("2026-11-22T12:00:00Z");
const now = () => today;
const service = homes({}, { now });
const alice = { uid: "1000", gid: "100", home: "/home/alice" };
const bob = { uid: "1001", gid: "100", home: "/home/bob" };

/** A machine with a base directory, and files in it by path with their owners. */
function machineWith(files: Record<string, number> = {}): MemoryMachine {
  const machine = quietMachine({ "/home/readme": "", "/etc/skel/.profile": "umask 077\n", "/etc/skel/mail/box": "" });
  for (const [path, uid] of Object.entries(files)) machine.place(path, path, { uid, gid: 100 });
  return machine;
}

/** A home that a uid owns, with a file in it. */
async function makeHome({ files }: MemoryMachine, path: string, uid: number, { file = "diary" } = {}): Promise<void> {
  await files.makeDirectory(path, { mode: 0o700, uid, gid: 100 });
  await files.write(posix.join(path, file), path, { uid, gid: 100 });
}

const refusedKeys = (result: RunResult) => (result?.refused ?? []).map(({ key }) => key);
const whyRefused = (result: RunResult) => result?.refused?.[0]?.why ?? "";

conform("homes", service, [alice, bob], { machine: machineWith });

test("a new account gets a home with the right owner and mode", async () => {
  const { machine, run } = scene(homes({ skeleton: "/etc/skel" }, { now }), { machine: machineWith() });
  assert.deepEqual(await run({ a: alice }), { refused: [] });
  assert.deepEqual(await machine.files.stat("/home/alice"), {
    kind: "directory",
    mode: 0o700,
    uid: 1000,
    gid: 100,
    size: 0,
  });
  assert.equal(machine.text("/home/alice/.profile"), "umask 077\n");
  assert.equal((await machine.files.stat("/home/alice/mail/box"))?.uid, 1000);
  assert.deepEqual(await machine.files.list("/home/.archive"), []);
});

test("without chown, homes have the owner of the base", async () => {
  const { machine, run } = scene(homes({ chown: false }, { now }), { machine: machineWith() });
  machine.fail(/^chown /, "EPERM");
  assert.deepEqual(await run({ a: alice, b: bob }), { refused: [] });
  const { uid, gid } = (await machine.files.stat("/home")) ?? {};
  const alices = await machine.files.stat("/home/alice");
  assert.deepEqual([alices?.uid, alices?.gid], [uid, gid]);
  assert.deepEqual(await run({ a: alice }, { whole: true }), { refused: [] });
  assert.deepEqual(await machine.files.list("/home/.archive"), ["1001-bob-2026-11-22"]);
});

test("the home of a removed account is archived under uid and day", async () => {
  const { machine, run } = scene(service, { machine: machineWith() });
  await run({ a: alice, b: bob });
  machine.place("/home/alice/diary", "dear diary", { uid: 1000 });
  await run({ b: bob });
  assert.deepEqual(await machine.files.list("/home"), [".archive", "bob", "readme"]);
  assert.equal(machine.text("/home/.archive/1000-alice-2026-11-22/diary"), "dear diary");
  assert.equal((await machine.files.stat("/home/.archive"))?.mode, 0o700);
});

test("an archived home is never overwritten by another of the same day", async () => {
  const { machine, run } = scene(service, { machine: machineWith() });
  for (const text of ["first", "second", "third"]) {
    await run({ a: alice });
    machine.place("/home/alice/diary", text, { uid: 1000 });
    await run({});
  }
  const names = await machine.files.list("/home/.archive");
  assert.deepEqual(names, ["1000-alice-2026-11-22", "1000-alice-2026-11-22.2", "1000-alice-2026-11-22.3"]);
  assert.deepEqual(
    names.map((name) => machine.text(`/home/.archive/${name}/diary`)),
    ["first", "second", "third"],
  );
});

test("an existing home of the uid is adopted unchanged", async () => {
  const machine = machineWith();
  await makeHome(machine, "/home/alice", 1000);
  await machine.files.chmod("/home/alice", 0o755);
  const { run } = scene(service, { machine });
  assert.deepEqual(await run({ a: alice }), { refused: [] });
  assert.equal((await machine.files.stat("/home/alice"))?.mode, 0o755);
  await run({});
  assert.equal(machine.text("/home/.archive/1000-alice-2026-11-22/diary"), "/home/alice");
});

test("a home of another uid is refused and untouched, and delays no other", async () => {
  const machine = machineWith();
  await makeHome(machine, "/home/alice", 4242);
  const { run } = scene(service, { machine });
  const result = await run({ a: alice, b: bob });
  assert.deepEqual(refusedKeys(result), ["a"]);
  assert.equal(whyRefused(result), "/home/alice is there, and belongs to uid 4242, not 1000");
  assert.equal((await machine.files.stat("/home/bob"))?.uid, 1001);
  await run({ b: bob });
  assert.equal(machine.text("/home/alice/diary"), "/home/alice");
});

test("a changed homeDirectory moves the home, and overwrites none", async () => {
  const { machine, run } = scene(service, { machine: machineWith() });
  await run({ a: alice, b: bob });
  machine.place("/home/alice/diary", "alice's", { uid: 1000 });
  machine.place("/home/bob/diary", "bob's", { uid: 1001 });
  const moved = await run({ a: { ...alice, home: "/home/bob" }, b: { ...bob, home: "/home/robert" } });
  assert.deepEqual(moved, { refused: [] });
  assert.equal(machine.text("/home/bob/diary"), "alice's");
  assert.equal(machine.text("/home/robert/diary"), "bob's");
  const swapped = await run({ a: { ...alice, home: "/home/robert" }, b: { ...bob, home: "/home/bob" } });
  assert.deepEqual(refusedKeys(swapped), ["a", "b"]);
  assert.equal(machine.text("/home/bob/diary"), "alice's");
});

test("an entry with another name and the same uidNumber keeps its home", async () => {
  const { machine, run } = scene(service, { machine: machineWith() });
  await run({ "cn=alice": alice });
  machine.place("/home/alice/diary", "dear diary", { uid: 1000 });
  await run({ "cn=alicia": { ...alice, home: "/home/alicia" } });
  assert.equal(machine.text("/home/alicia/diary"), "dear diary");
  assert.deepEqual(await machine.files.list("/home/.archive"), []);
});

test("a changed uidNumber gets another home: the old one is archived", async () => {
  const { machine, run } = scene(service, { machine: machineWith() });
  await run({ a: alice });
  machine.place("/home/alice/diary", "of 1000", { uid: 1000 });
  await run({ a: { ...alice, uid: "1005" } });
  assert.deepEqual(await machine.files.list("/home/alice"), []);
  assert.equal((await machine.files.stat("/home/alice"))?.uid, 1005);
  assert.equal(machine.text("/home/.archive/1000-alice-2026-11-22/diary"), "of 1000");
});

test("an account whose new row is refused keeps the home that it has", async () => {
  const { machine, run } = scene(service, { machine: machineWith() });
  await run({ a: alice });
  machine.place("/home/alice/diary", "of 1000", { uid: 1000 });
  for (const wrong of [
    { uid: "1005", gid: "100", home: "/etc/alice" },
    { ...alice, uid: "5" },
  ]) {
    assert.deepEqual(refusedKeys(await run({ a: wrong })), ["a"]);
    assert.equal(machine.text("/home/alice/diary"), "of 1000");
    await run({ a: alice });
  }
  assert.deepEqual(await machine.files.list("/home/.archive"), []);
});

test("with unknown state, a run archives its own homes without a row", async () => {
  const machine = machineWith();
  await makeHome(machine, "/home/stranger", 2000);
  const { run } = scene(service, { machine });
  await run({ a: alice, b: bob });
  await run({ b: bob }, { whole: true });
  assert.deepEqual(await machine.files.list("/home"), [".archive", "bob", "readme", "stranger"]);
});

test("a homeDirectory outside the base, or in the archive, is refused", async () => {
  const { row } = tableOf(service);
  for (const home of ["/", "..", "/home/../etc", "etc", "", "/home/a\u0000b", "/home/a\nb", "/home/a b"]) {
    assert.equal(row.safeParse({ ...alice, home }).success, false, home);
  }
  const { machine, run } = scene(service, { machine: machineWith() });
  for (const home of [
    "/home",
    "/etc",
    "/etc/cron.d",
    "/homes/alice",
    "/home/.archive",
    "/home/.archive/x",
    "/home/readme/x",
  ]) {
    assert.deepEqual(refusedKeys(await run({ [home]: { ...alice, home } })), [home]);
    await run({});
  }
  assert.equal(await machine.files.stat("/etc/cron.d"), undefined);
  assert.deepEqual(await machine.files.list("/home"), [".archive", "readme"]);
});

test("any homeDirectory leaves everything outside the base unchanged", async () => {
  const { row } = tableOf(service);
  const home = fc.oneof(anything("/home/alice"), fc.stringMatching(/^(\/(home|etc|\.archive|\.\.?|[a-c])){1,5}$/));
  await fc.assert(
    fc.asyncProperty(fc.array(home, { maxLength: 5 }), async (given) => {
      const machine = machineWith();
      const before = await machine.files.list("/etc");
      const rows = given.map((home, index) => ({ uid: String(1000 + index), gid: "100", home }));
      const { run } = scene(service, { machine });
      await run(Object.fromEntries(rows.filter((one) => row.safeParse(one).success).map((one) => [one.uid, one])));
      await run({});
      assert.deepEqual(await machine.files.list("/"), ["etc", "home"]);
      assert.deepEqual(await machine.files.list("/etc"), before);
    }),
    { numRuns: runs(60) },
  );
});

test("a symlink is followed neither as a home nor on the way to one", async () => {
  const machine = machineWith({ "/secret/diary": 1000 });
  machine.symlink("/secret", "/home/alice");
  machine.symlink("/secret", "/home/members");
  const { run, log } = scene(service, { machine });
  assert.match(whyRefused(await run({ a: alice })), /^\/home\/alice is there, and is a symlink$/);
  assert.match(
    whyRefused(await run({ a: { ...alice, home: "/home/members/alice" } })),
    /^\/home\/members is a symlink/,
  );
  await run({});
  assert.equal(machine.text("/secret/diary"), "/secret/diary");
  assert.deepEqual(log, []);
});

test("a home that became a symlink or foreign stays when its account is removed", async () => {
  const { machine, run, log } = scene(service, { machine: machineWith({ "/secret/diary": 1000 }) });
  await run({ a: alice, b: bob });
  await machine.files.remove("/home/alice");
  machine.symlink("/secret", "/home/alice");
  await machine.files.chown("/home/bob", 0, 0);
  await run({});
  assert.deepEqual(await machine.files.list("/home"), [".archive", "alice", "bob", "readme"]);
  assert.deepEqual(log, [
    "/home/alice is left alone: /home/alice is there, and is a symlink",
    "/home/bob is left alone: /home/bob is there, and belongs to uid 0, not 1001",
  ]);
});

test("homes lie below directories of the base's owner alone", async () => {
  const { machine, run } = scene(service, { machine: machineWith() });
  await run({ a: alice });
  const inside = { ...bob, home: "/home/alice/bob" };
  assert.match(
    whyRefused(await run({ a: alice, b: inside })),
    /^\/home\/alice belongs to uid 1000: a home is only below/,
  );
  const deep = { uid: "1002", gid: "100", home: "/home/2026/members/carol" };
  assert.equal(
    whyRefused(await run({ a: alice, b: deep })),
    "/home/2026 does not exist: make it, or name its homes (option layout)",
  );
  for (const folder of ["/home/2026", "/home/2026/members"]) await machine.files.makeDirectory(folder, { mode: 0o755 });
  assert.deepEqual(await run({ a: alice, b: deep }), { refused: [] });
});

test("no home takes the place of a later member's home", async () => {
  for (const layout of [undefined, ["*", "students/*"], ["*"]]) {
    const { machine, run } = scene(homes(layout ? { layout } : {}, { now }), { machine: machineWith() });
    const inside = { ...bob, home: "/home/alice/bob" };
    assert.deepEqual(refusedKeys(await run({ b: inside })), ["b"]);
    assert.equal(await machine.files.stat("/home/alice"), undefined);
    assert.deepEqual(refusedKeys(await run({ a: alice, b: inside })), ["b"]);
    assert.equal((await machine.files.stat("/home/alice"))?.uid, 1000);
  }
});

test("with a layout, folders are made, and no home is above another", async () => {
  const at = (uid: string, home: string) => ({ uid, gid: "100", home: `/home/${home}` });
  const { machine, run } = scene(homes({ layout: ["*", "students/*", "s?/*/*"] }, { now }), { machine: machineWith() });
  const rows = { a: at("1000", "students/alice"), b: at("1001", "bob"), c: at("1002", "s1/st/carol") };
  assert.deepEqual(await run(rows), { refused: [] });
  assert.equal((await machine.files.stat("/home/s1/st"))?.uid, 0);
  for (const place of ["students", "s1", "s1/st", "students/x/y", "staff/x", "s1/st/carol/x"]) {
    const { refused } = (await run({ ...rows, x: at("1009", place) })) ?? {};
    assert.deepEqual(refused, [{ key: "x", why: `/home/${place} is no place of homes (option layout)` }]);
  }
  assert.throws(() => homes({ layout: ["*", "*/*"] }), /homes: layout: \* is above the homes of another pattern/);
  for (const wrong of ["/home/*", "../*", "a//b", ".x/*"])
    assert.throws(() => homes({ layout: [wrong] }), /is not a path/);
});

test("no home has a name of the file system, or a hidden one", async () => {
  const { machine, run } = scene(homes({ reserved: ["backup"] }, { now }), { machine: machineWith() });
  for (const folder of ["/home/lost+found", "/home/backup"]) await machine.files.makeDirectory(folder, { mode: 0o700 });
  const places = [
    "lost+found",
    "lost+found/x",
    "aquota.user",
    "quota.group",
    ".snapshots",
    ".x/y",
    "backup",
    "backup/x",
  ];
  for (const place of places) {
    const why = whyRefused(await run({ a: { ...alice, home: `/home/${place}` } }));
    assert.match(why, /belongs to the file system|is hidden|is reserved/, place);
  }
  assert.deepEqual(await machine.files.list("/home"), [".archive", "backup", "lost+found", "readme"]);
});

test("numbers of the system are no member's", async () => {
  const { machine, run } = scene(service, { machine: machineWith() });
  const why = async (uid: string, gid: string) => whyRefused(await run({ a: { uid, gid, home: "/home/alice" } }));
  for (const uid of ["999", "60000", "64999", "65534", "65535", "4294967294"]) {
    assert.match(await why(uid, "100"), /^uidNumber/, uid);
  }
  for (const gid of ["0", "42", "99", "60000", "65534", "4294967294"])
    assert.match(await why("1000", gid), /^gidNumber/);
  assert.equal(await machine.files.stat("/home/alice"), undefined);
  for (const [uid, gid] of [
    ["59999", "100"],
    ["65536", "513"],
    ["2000000001", "2000000001"],
  ] as const) {
    const home = { uid, gid, home: `/home/${uid}` };
    assert.deepEqual(await run({ a: home }), { refused: [] });
  }
  const free = scene(homes({ systemIds: [], firstGid: 0 }, { now }), { machine: machineWith() });
  assert.deepEqual(await free.run({ a: { uid: "60001", gid: "1", home: "/home/alice" } }), { refused: [] });
  const nobody = await free.run({ a: { uid: "65534", gid: "1", home: "/home/alice" } });
  assert.match(whyRefused(nobody), /65534 is no member's/);
});

test("system users get no home", async () => {
  const { run } = scene(service, { machine: machineWith() });
  const result = await run({ a: { uid: "0", gid: "0", home: "/home/root" } });
  assert.equal(whyRefused(result), "uidNumber 0 is below 1000 (option firstUid)");
});

test("a base that is missing or on another file system is left alone", async () => {
  const absent = scene(service, { machine: quietMachine({ "/etc/fstab": "" }) });
  await assert.rejects(absent.run({ a: alice }), /^Error: \/home is not a directory: is its file system mounted\?$/);
  const { machine, run } = scene(service, { machine: machineWith() });
  await run({ a: alice });
  await machine.files.rename("/home", "/unmounted");
  await machine.files.makeDirectory("/home");
  await assert.rejects(run({ a: alice, b: bob }), /\/home\/\.archive is gone: is the file system of \/home mounted\?/);
  assert.deepEqual(await machine.files.list("/home"), []);
});

test("a home that fails delays no other, and is retried", async () => {
  const { machine, run } = scene(service, { machine: machineWith() });
  machine.fail(/rename .*alice/, "EIO");
  await assert.rejects(run({ a: alice, b: bob }), /^Error: 1 homes failed, the others are in place: \/home\/alice: /);
  assert.equal((await machine.files.stat("/home/bob"))?.uid, 1001);
  assert.deepEqual(await run({ a: alice, b: bob }), { refused: [] });
  assert.equal((await machine.files.stat("/home/alice"))?.uid, 1000);
});

test("a power cut at any point loses no home, and a run repairs it", async () => {
  for (let cutAt = 1; cutAt < 100; cutAt++) {
    let left = Number.POSITIVE_INFINITY;
    const machine = quietMachine({ "/home/readme": "" }, () => {
      left -= 1;
      if (left < 0) throw new Error("power cut");
    });
    machine.place("/home/alice/diary", "dear diary", { uid: 1000 });
    await machine.files.chown("/home/alice", 1000, 100);
    await machine.files.sync("/home/alice");
    const { run } = scene(service, { machine });
    await run({ a: alice });
    const after = { a: { ...alice, home: "/home/alicia" }, b: bob };
    left = cutAt;
    const whole = await run(after).then(
      () => true,
      () => false,
    );
    if (whole) return;
    left = Number.POSITIVE_INFINITY;
    machine.powerCut();
    await run(after, { interrupted: true });
    assert.equal(machine.text("/home/alicia/diary"), "dear diary", `cut at ${cutAt}`);
    assert.equal((await machine.files.stat("/home/bob"))?.uid, 1001, `cut at ${cutAt}`);
    assert.equal(await machine.files.stat("/home/alice"), undefined, `cut at ${cutAt}`);
  }
  assert.fail("the run never ends");
});

test("a packed home leaves one file; others stay archived as they are", async () => {
  const { machine, run, log } = scene(homes({ pack: true }, { now }), { machine: machineWith() });
  const place = "/home/.archive/1000-alice-2026-11-22";
  machine.program("tar", ({ arguments: words }) => {
    machine.place(words[3] ?? "", `packed ${words.slice(4).join(" ")}`);
  });
  const removed: string[][] = [];
  machine.program("rm", ({ arguments: words }) => void removed.push([...words]));
  await run({ a: alice });
  await run({});
  assert.equal(machine.text(`${place}.tar.zst`), "packed -C /home/.archive -- 1000-alice-2026-11-22");
  assert.deepEqual(removed, [["-rf", "--one-file-system", "--", place]]);

  machine.program("tar", ({ arguments: words }) => {
    machine.place(words[3] ?? "", "half");
    return { code: 2, stderr: "no space left" };
  });
  await run({ a: alice });
  await run({});
  assert.equal((await machine.files.stat(`${place}.2`))?.kind, "directory");
  assert.equal(machine.text(`${place}.2.tar.zst.part`), undefined);
  assert.match(log.at(-1) ?? "", /2026-11-22\.2 is archived but not packed: tar exited 2: no space left/);
  assert.equal(removed.length, 1);
});

test("by default the accounts of RFC 2307 are selected", () => {
  const account = entry(["account", "posixAccount"], "alice", {
    uidnumber: ["1000"],
    gidnumber: ["100"],
    homedirectory: ["/home/alice"],
  });
  assert.deepEqual(selected(service, account), alice);
  assert.equal(selected(service, entry(["person"], "bob")), undefined);
});
