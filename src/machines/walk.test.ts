import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { realFiles as files } from "./real-files.ts";

const skip = process.getuid?.() === 0 ? false : "only root can give folders to another user";
const other = 61_001;

/** A folder that is root's alone, with a secret, and a way to make others that are not. */
function ground(t: TestContext) {
  const top = mkdtempSync(join(tmpdir(), "trigger-walk-"));
  chmodSync(top, 0o755);
  t.after(() => rmSync(top, { recursive: true, force: true }));
  const path = (...names: string[]): string => join(top, ...names);
  mkdirSync(path("secret"), { mode: 0o700 });
  writeFileSync(path("secret", "shadow"), "root's password");
  return {
    path,
    /** A folder of an owner and a mode, with a link of `by` to the secret folder, and one to the file in it. */
    folder(name: string, { uid = 0, gid = 0, mode = 0o755, by = other }): string {
      mkdirSync(path(name));
      for (const [link, target] of [
        ["way", "secret"],
        ["file", "secret/shadow"],
      ] as const) {
        symlinkSync(path(target), path(name, link));
        lchownSync(path(name, link), by, by);
      }
      chownSync(path(name), uid, gid);
      chmodSync(path(name), mode);
      return path(name);
    },
  };
}

const refused =
  /is a symlink \(uid \d+\) in .* \(uid \d+, gid \d+, mode \d+\), where others than root or uid 0 may put one: it is not followed/;

for (const [what, owned] of [
  ["of another user", { uid: other, gid: other }],
  ["that a group may write", { gid: other, mode: 0o775 }],
  ["that all may write", { mode: 0o777 }],
  ["that root's group may write, as with an ACL", { mode: 0o775 }],
  ["that a group may write, root's own link too", { gid: other, mode: 0o2775, by: 0 }],
  ["that is sticky, another user's link", { mode: 0o1777 }],
] as const) {
  test(`nothing follows a symlink in a folder ${what}`, { skip }, async (t) => {
    const { path, folder } = ground(t);
    const at = folder("shared", owned);
    const [way, file] = [join(at, "way"), join(at, "file")];
    const before = readdirSync(path("secret"));
    for (const work of [
      () => files.read(file),
      () => files.resolve(file),
      () => files.write(file, "x"),
      () => files.chmod(file, 0o644),
      () => files.sync(file),
      () => files.list(way),
      () => files.read(join(way, "shadow")),
      () => files.stat(join(way, "shadow")),
      () => files.write(join(way, "new"), "x"),
      () => files.makeDirectory(join(way, "new")),
      () => files.link(join(way, "shadow"), join(at, "mine")),
      () => files.rename(join(way, "shadow"), join(at, "mine")),
      () => files.remove(join(way, "shadow")),
      () => files.chown(join(way, "shadow"), other, other),
      () => files.resolve(join(way, "no", "such")),
    ]) {
      await assert.rejects(work, refused);
    }
    assert.deepEqual(readdirSync(path("secret")), before);
    assert.equal(readFileSync(path("secret", "shadow"), "utf8"), "root's password");
    assert.equal((await files.stat(file))?.kind, "symlink");
    await files.remove(file);
    assert.ok(!existsSync(file) && existsSync(path("secret", "shadow")));
    await files.write(join(at, "plain"), "text");
    await files.rename(join(at, "plain"), join(at, "moved"));
    assert.equal(Buffer.from((await files.read(join(at, "moved"))) ?? "").toString(), "text");
  });
}

for (const [what, owned] of [
  ["of root", {}],
  ["of root, where another user's link was put by root", { by: other }],
  ["that is sticky, root's own link", { mode: 0o1777, by: 0 }],
] as const) {
  test(`a symlink is followed in a folder ${what}`, { skip }, async (t) => {
    const { path, folder } = ground(t);
    const at = folder("own", { by: 0, ...owned });
    assert.equal(await files.resolve(join(at, "file")), path("secret", "shadow"));
    await files.write(join(at, "way", "new"), "x");
    assert.deepEqual(await files.list(join(at, "way")), ["new", "shadow"]);
  });
}

test("a new directory has its owner, wherever its name leads a moment later", { skip }, async (t) => {
  const { path, folder } = ground(t);
  const at = folder("theirs", { uid: other });
  await files.makeDirectory(join(at, "a", "b"), { mode: 0o700, uid: other, gid: other });
  const made = lstatSync(path("theirs", "a", "b"));
  assert.deepEqual([made.uid, made.gid, made.mode & 0o7777], [other, other, 0o700]);
});
