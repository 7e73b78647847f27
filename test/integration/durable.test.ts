import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { ldif, makeProject, names, printer } from "../project.ts";
import { follow, type SystemCall } from "../strace.ts";
import { until } from "../until.ts";
import { machines } from "./machines.fixture.ts";

// The system calls of real processes: what is said to be durable was synced before anything that depends on it.

const is = (call: SystemCall, names: string, path: string | RegExp): boolean =>
  names.split(" ").includes(call.name) && (path instanceof RegExp ? path.test(call.words) : call.words.includes(path));
const isWrite = (call: SystemCall, path: string): boolean => is(call, "write pwrite64 writev pwritev", `<${path}>`);
const isSync = (call: SystemCall, path: string): boolean =>
  is(call, "fsync fdatasync", `<${path}>`) && call.result.startsWith("0");

/** Fails unless a file or folder is synced between the end of one call and the beginning of another. */
function assertSynced(calls: readonly SystemCall[], path: string, after: SystemCall, before: SystemCall): void {
  const found = calls.some((call) => isSync(call, path) && call.began > after.ended && call.ended < before.began);
  const between = calls.filter(({ began }) => began >= after.began && began <= before.began);
  const shown = between.map(({ name, words }) => `${name}(${words})`).join("\n");
  assert.ok(found, `${path} is not synced between the first and the last of these calls:\n${shown}`);
}

function only(calls: readonly SystemCall[], what: string, isIt: (call: SystemCall) => boolean): SystemCall {
  const found = calls.filter(isIt);
  assert.equal(found.length, 1, `${what}: ${found.map(({ name, words }) => `${name}(${words})`).join("\n")}`);
  return found[0]!;
}

test("a real host syncs each step of a change before the next", async (t) => {
  const steps = 'check: ["/usr/bin/test", "-s", "{staged}"], reload: ["/bin/true", "reloaded"],';
  const project = makeProject(t, {
    hosts: { box: ["names"], civet: ["event"] },
    files: { "services/names.ts": names(steps), "directory.ldif": ldif([printer]) },
  });
  const { start, process, own } = machines(() => project);
  for (const host of ["civet", "box"]) start(host);
  const settled = async (text: string) =>
    project.read("out/box/names") === text && (await own("box")).services.names?.pending === 0;
  await until(() => settled("printer 192.0.2.10\n"), { within: 30_000 });

  const trace = await follow(process("box").child.pid!);
  project.write("directory.ldif", ldif([{ ...printer, ip: "192.0.2.99" }]));
  await until(() => settled("printer 192.0.2.99\n"), { within: 30_000 });
  const calls = await trace.stop();

  const target = project.path("out/box/names");
  const folder = project.path("out/box/.trigger");
  const store = `${project.path(".trigger/box/store.db")}-wal`;
  const broker = `${project.path(".trigger/broker.db")}-wal`;

  // Each commit of the store is on the disk before anything else is done: an acknowledgement, a file, a command.
  const commits = calls.filter((call) => isWrite(call, store));
  assert.ok(commits.length > 3, `${commits.length} writes to the store are too few for a change`);
  for (const commit of commits) {
    const next = calls.find(
      (call) => call.began > commit.ended && !isWrite(call, store) && is(call, `${writes} execve ${renames}`, "/"),
    );
    if (next) assertSynced(calls, store, commit, next);
  }
  assert.ok(
    calls.some((call) => isWrite(call, broker)),
    "the message is acknowledged at the broker",
  );

  const rename = only(calls, "the rename", (call) => is(call, renames, /\.staged\./) && call.words.includes(target));
  const staged = /"([^"]*\.staged\.[^"]*)"/.exec(rename.words)?.[1] ?? "";
  const written = calls.findLast((call) => isWrite(call, staged)) ?? assert.fail("nothing was staged");
  assertSynced(calls, staged, written, rename);

  const born = only(calls, "its birth", (call) => is(call, "openat", `"${staged}"`) && call.words.includes("O_CREAT"));
  assert.match(born.words, /, 0600$/, "no other user may read it before its mode is set");

  const link = only(calls, "the last good file", (call) => is(call, "link linkat", /\.good\./));
  const good = /"([^"]*\.good\.[^"]*)"/.exec(link.words)?.[1] ?? "";
  assert.ok(calls.some((call) => isSync(call, good) || isSync(call, target)));
  assertSynced(calls, folder, link, rename);
  const journal = calls.findLast((call) => isWrite(call, store) && call.ended < rename.began);
  assert.ok(journal && journal.began > link.ended, "the journal is written after the last good file is kept");

  const reload = only(calls, "the reload", (call) => is(call, "execve", /"reloaded"/));
  assertSynced(calls, project.path("out/box"), rename, reload);
  assert.ok(
    calls.some((call) => isWrite(call, store) && call.began > reload.ended),
    "that it is applied is written down after the reload",
  );
});

test("the embedded broker syncs a message before it confirms it", async (t) => {
  const project = makeProject(t);
  const file = project.path("broker.db");
  const script = join(import.meta.dirname, "publish.fixture.ts");
  const child = spawn(globalThis.process.execPath, [script, file], { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  await until(() => said.includes("ready"));
  const trace = await follow(child.pid!);
  // What is acknowledged in between is not synced, and must not take that from the messages behind it.
  for (const message of ["one", "two", "three"]) {
    child.stdin.write(`${message}\n`);
    await until(() => said.includes(`accepted ${message}`));
  }
  const calls = await trace.stop();
  child.stdin.end();
  await once(child, "close");
  for (const message of ["one", "two", "three"]) {
    const accepted = only(calls, message, (call) => call.words.includes(`accepted ${message}`));
    const read = calls.findLast(({ ended, words }) => ended < accepted.began && words.includes("accepted "));
    const stored = calls.find((call) => isWrite(call, `${file}-wal`) && call.began > (read?.ended ?? -1));
    assertSynced(calls, `${file}-wal`, stored ?? assert.fail(`${message} was never written`), accepted);
  }
});

const writes = "write pwrite64 writev pwritev";
const renames = "rename renameat renameat2";
