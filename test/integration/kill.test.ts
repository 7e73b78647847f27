import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { bin, laptop, ldif, makeProject, printer } from "../project.ts";
import { until } from "../until.ts";

/** The command as a process: how it starts, ends and is ended. */

test("SIGTERM and SIGINT end a host cleanly with exit 0, even while it starts", async (t) => {
  const project = makeProject(t);
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const up = project.spawn(["up", "--all"]);
    await until(() => up.said().includes("up with names, note"), { within: 20_000 });
    const { code, out, err } = await up.end(signal);
    assert.equal(code, 0, `${out}${err}`);
    assert.equal(err, `trigger: ${signal}: stopping (again to stop at once)\n`);
    assert.doesNotMatch(out, /cannot continue/);
  }
});

test("a second process for a host exits 2, and the first continues", async (t) => {
  const project = makeProject(t);
  const first = project.spawn(["up", "--all"]);
  await until(() => project.read("out/box/names"), { within: 20_000 });
  const second = await project.spawn(["up", "--host", "box"]).ended;
  assert.equal(second.code, 2);
  assert.match(second.err, /^trigger up: host box is already up in another process \(.*lock\.db\)\n$/);
  project.write("directory.ldif", ldif([printer]));
  await until(() => project.read("out/box/names") === "printer 192.0.2.10\n");
  assert.equal(first.over(), false);
});

test("after kill -9 a host restores its files, even without its transcriber", async (t) => {
  const project = makeProject(t);
  const up = project.spawn(["up", "--all"]);
  await until(() => project.read("out/box/names"), { within: 20_000 });
  const good = project.read("out/box/names");
  await up.end("SIGKILL");
  project.write("out/box/names", "lost\n");
  const alone = project.spawn(["up", "--host", "box"]);
  await until(() => project.read("out/box/names") === good, { within: 20_000 });
  await alone.end("SIGKILL");
  project.write("directory.ldif", ldif([printer, laptop, { name: "new", ip: "192.0.2.12" }]));
  const again = project.spawn(["up", "--all"]);
  await until(() => project.read("out/box/names")?.includes("new 192.0.2.12"), { within: 20_000 });
  assert.equal((await again.end("SIGTERM")).code, 0);
});

test("a damaged store is set aside, and the tables are sent again", async (t) => {
  const project = makeProject(t);
  await project.spawn(["up", "--all"]).end("SIGKILL");
  project.write(
    ".trigger/box/store.db",
    "this is no database, and it is longer than the head of one would be".repeat(20),
  );
  const status = await project.trigger(["status"]);
  assert.equal(status.code, 2);
  assert.match(status.err, /^trigger status: .*box\/store\.db: cannot be read: .*not a database\n$/);
  const up = project.spawn(["up", "--all"]);
  await until(() => project.read("out/box/names"), { within: 20_000 });
  assert.match(up.said(), /box: its store could not be read \(.*\) and is set aside as .*store\.db\.corrupt-/);
  await until(async () => (await project.trigger(["status"])).code === 0);
});

test("a state folder that cannot be made gives one line and exit 2", async (t) => {
  const project = makeProject(t);
  project.write(".trigger", "a file where the folder should be");
  const { code, err } = await project.spawn(["up", "--all"]).ended;
  assert.equal(code, 2);
  assert.match(err, /^trigger up: .*\.trigger.*\n$/);
  assert.equal(err.split("\n").length, 2, err);
});

test("output to a pipe has no colours, and its early end is no error", async (t) => {
  const project = makeProject(t);
  const { out } = await project.spawn(["status"], { env: { ...process.env, FORCE_COLOR: "1" } }).ended;
  assert.doesNotMatch(out, /\u001b/);
  const piped = spawnSync("sh", ["-c", `"$0" "$1" help | true; exit 0`, process.execPath, bin], { encoding: "utf8" });
  assert.equal(piped.stderr, "");
});

test("output to a terminal has colours unless NO_COLOR is set", async (t) => {
  const project = makeProject(t);
  const up = project.spawn(["up", "--all"]);
  await until(async () => (await project.trigger(["status"])).code === 0, { within: 20_000 });
  const terminal = project.path("terminal.cjs");
  writeFileSync(terminal, "process.stdout.isTTY = true;\n");
  const status = async (env: NodeJS.ProcessEnv) =>
    (await project.spawn(["status"], { node: ["-r", terminal], env: { ...process.env, ...env } }).ended).out;
  assert.match(await status({ NO_COLOR: undefined }), /\u001b\[32m/);
  assert.doesNotMatch(await status({ NO_COLOR: "1" }), /\u001b/);
  await up.end("SIGTERM");
});

test("an older Node gets one line about the version that trigger needs", async (t) => {
  const project = makeProject(t);
  const old = project.path("old.cjs");
  writeFileSync(
    old,
    'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } });\n',
  );
  const { code, out, err } = await project.spawn(["status"], { node: ["-r", old] }).ended;
  assert.deepEqual([code, out], [2, ""]);
  assert.match(
    err,
    /^trigger needs Node 24 or newer; this is v.* \(.*\): say export PATH="\/.*node_modules\/\.bin:\$PATH"\n$/,
  );
});

test("a file that cannot be written is reported as failing, and written once possible", async (t) => {
  const project = makeProject(t);
  project.write("out/box", "a file where the folder is to be: not even root can write below it");
  project.spawn(["up", "--all"]);
  await until(async () => (await project.trigger(["status"])).out.includes("failing: "), { within: 20_000 });
  rmSync(project.path("out/box"));
  await until(() => project.read("out/box/names")?.includes("printer"), { within: 20_000 });
});

test("a store locked for a while by another process stops no host", async (t) => {
  const project = makeProject(t);
  const up = project.spawn(["up", "--all"]);
  await until(() => project.read("out/box/names")?.includes("laptop"), { within: 20_000 });
  const others = ["box", "civet"].map(
    (host) => new DatabaseSync(project.path(`.trigger/${host}/store.db`), { timeout: 5000 }),
  );
  for (const other of others) other.exec("BEGIN IMMEDIATE");
  project.write("directory.ldif", ldif([printer, { ...laptop, ip: "192.0.2.99" }]));
  await until(() => up.said().includes("1 row changed"), { within: 20_000 });
  for (const other of others) other.close();
  await until(() => project.read("out/box/names")?.includes("192.0.2.99"), { within: 20_000 });
  assert.equal((await up.end("SIGTERM")).code, 0, up.said());
});

test("a host whose state is deleted ends with an error, and restarts from nothing", async (t) => {
  const project = makeProject(t);
  const up = project.spawn(["up", "--all"]);
  await until(() => project.read("out/box/names")?.includes("laptop"), { within: 20_000 });
  rmSync(project.path(".trigger/box"), { recursive: true });
  const { code, err } = await up.ended;
  assert.equal(code, 2);
  assert.match(err, /\.trigger\/box was deleted or replaced while box was up: start it again/);
  project.write("directory.ldif", ldif([printer]));
  project.spawn(["up", "--all"]);
  await until(() => project.read("out/box/names") === "printer 192.0.2.10\n", { within: 20_000 });
});
