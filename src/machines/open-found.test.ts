import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { watchingFiles } from "../../test/fixtures/swapping-user.ts";
import { realMachine } from "./real.ts";
import { realFiles as files } from "./real-files.ts";

/** Files in a folder of another user, who exchanges them between the look at them and their opening. */

const skip = process.getuid?.() === 0 ? false : "only root can give folders to another user";
const other = 61_006;

function scene(t: TestContext, { uid = other, gid = other, mode = 0o755 } = {}) {
  const top = fs.mkdtempSync(join(tmpdir(), "trigger-found-"));
  fs.chmodSync(top, 0o755);
  t.after(() => fs.rmSync(top, { recursive: true, force: true }));
  fs.writeFileSync(join(top, "shadow"), "root:hash\n", { mode: 0o600 });
  fs.mkdirSync(join(top, "theirs"));
  fs.chownSync(join(top, "theirs"), uid, gid);
  fs.chmodSync(join(top, "theirs"), mode);
  const path = (name: string): string => join(top, "theirs", name);
  const put = (name: string, text = "text"): string => {
    fs.rmSync(path(name), { force: true, recursive: true });
    fs.writeFileSync(path(name), text);
    fs.chownSync(path(name), other, other);
    return path(name);
  };
  return { path, put, shadow: join(top, "shadow") };
}

/** Does `swap` before a file is opened, `times` times. */
async function swapped<T>(name: string, times: number, swap: () => void, work: () => Promise<T>): Promise<T> {
  let left = times;
  return watchingFiles(async ({ call, path }) => {
    if (call !== "open" || path !== name || left === 0) return;
    left -= 1;
    swap();
  }, work);
}

test("a file that is replaced before it is opened is looked at again", { skip }, async (t) => {
  const { put } = scene(t);
  const name = put("conf", "first");
  const anew = (): void => void fs.renameSync(put("new", "second"), name);
  const read = await swapped(name, 1, anew, () => files.read(name));
  assert.equal(Buffer.from(read ?? "").toString(), "second");
  await assert.rejects(
    swapped(name, 9, anew, () => files.read(name)),
    /conf was replaced meanwhile/,
  );
  await assert.rejects(
    swapped(name, 9, anew, () => files.write(name, "x")),
    /conf was replaced meanwhile/,
  );
  assert.equal(fs.readFileSync(name, "utf8"), "second");
});

test("a file that appears where none was found is not written", { skip }, async (t) => {
  const { path, put } = scene(t);
  const name = path("new");
  const link = (): void => fs.linkSync(put("his"), name);
  await assert.rejects(
    swapped(name, 1, link, () => files.write(name, "x")),
    { code: "EEXIST" },
  );
  assert.equal(fs.readFileSync(name, "utf8"), "text");
});

for (const [what, owned] of [
  ["of another user", {}],
  ["that a group may write", { uid: 0, mode: 0o775 }],
] as const) {
  test(`a second name of root's file is not opened in a folder ${what}`, { skip }, async (t) => {
    const { path, shadow } = scene(t, owned);
    const name = path("conf");
    fs.linkSync(shadow, name);
    for (const work of [
      () => files.read(name),
      () => files.write(name, "x"),
      () => files.chmod(name, 0o644),
      () => files.chown(name, other, other),
      () => files.sync(name),
    ]) {
      await assert.rejects(work, /conf has 2 names \(hard links\), in a folder that other users may write/);
    }
    const { uid, mode } = fs.statSync(shadow);
    assert.deepEqual([fs.readFileSync(shadow, "utf8"), uid, mode & 0o7777], ["root:hash\n", 0, 0o600]);
    await files.remove(name);
    assert.ok(fs.existsSync(shadow) && !fs.existsSync(name));
  });
}

test("a second name of a user's own file is read in his folder", { skip }, async (t) => {
  const { path, put } = scene(t);
  fs.linkSync(put("conf"), path("backup"));
  assert.equal(Buffer.from((await files.read(path("conf"))) ?? "").toString(), "text");
});

test("a FIFO that its user fills without end is not read", { skip, timeout: 20_000 }, async (t) => {
  const { path } = scene(t);
  execFileSync("mkfifo", ["-m", "666", path("conf")]);
  const writer = spawn("sh", ["-c", `exec yes > ${path("conf")}`], { uid: other, gid: other, stdio: "ignore" });
  t.after(() => void writer.kill("SIGKILL"));
  await assert.rejects(async () => files.read(path("conf")), /conf is no file, and others may have put it there/);
});

test("a file of a user that would exhaust the memory is not read", { skip }, async (t) => {
  const { put } = scene(t);
  const name = put("conf");
  fs.truncateSync(name, 2 ** 29);
  await assert.rejects(async () => files.read(name), /conf has 536870912 bytes, and others may have put it/);
});

test("root's folder in place of a new one is not given away", { skip }, async (t) => {
  const { path } = scene(t);
  fs.mkdirSync(path("kept"), { mode: 0o700 });
  fs.writeFileSync(path("kept/good"), "");
  const [name, away] = [path("home"), path("away")];
  const swap = (): void => {
    fs.renameSync(name, away);
    fs.renameSync(path("kept"), name);
  };
  const made = swapped(name, 1, swap, () => files.makeDirectory(name, { uid: other, gid: other, mode: 0o755 }));
  await made.catch(() => {});
  const { uid, mode } = fs.statSync(name);
  assert.deepEqual([uid, mode & 0o777], [0, 0o700]);
});

test("a link to the socket of another daemon is not followed", { skip }, async (t) => {
  const { path } = scene(t);
  const top = join(path("."), "..");
  const asked: string[] = [];
  const listen = async (at: string): Promise<void> => {
    const server = createServer((socket) => {
      socket.on("data", (data) => {
        asked.push(`${at} ${data}`);
        socket.end("yes");
      });
      socket.on("error", () => {});
    });
    t.after(() => server.close());
    await once(server.listen(at), "listening");
  };
  await listen(join(top, "root.sock"));
  await listen(path("own.sock"));
  const machine = realMachine();
  const ask = (socket: string) => machine.run({ socket }, { changes: true, input: "x", deadline: 5000 });
  assert.equal((await ask(path("own.sock"))).stdout, "yes");
  fs.symlinkSync("../root.sock", path("his.sock"));
  fs.lchownSync(path("his.sock"), other, other);
  await assert.rejects(ask(path("his.sock")), /his.sock is a symlink \(uid 61006\) .* it is not followed/);
  await assert.rejects(ask(path("no.sock")), /no.sock: no daemon answers/);
  assert.deepEqual(asked, [`${path("own.sock")} x`]);
});

test("the file of a process id is not read through a link", { skip }, async (t) => {
  const { path, shadow } = scene(t);
  fs.writeFileSync(shadow, `${process.pid}\n`);
  const life = () => realMachine().incarnation({ pidFile: path("x.pid") });
  fs.symlinkSync(shadow, path("x.pid"));
  fs.lchownSync(path("x.pid"), other, other);
  assert.equal(await life(), undefined);
  fs.rmSync(path("x.pid"));
  fs.writeFileSync(path("x.pid"), `${process.pid}\n`);
  assert.match((await life()) ?? "", new RegExp(` ${process.pid} `));
});
