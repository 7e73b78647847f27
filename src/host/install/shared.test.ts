import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
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
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { newStore, standingClock } from "../../../test/fixtures/install.ts";
import type { InstallSteps } from "../../core/service/host-api.ts";
import { CommandFailed, reason } from "../../core/util/errors.ts";
import { realMachine } from "../../machines/real.ts";
import { hostApi } from "../run/host-api.ts";

/** Installs into folders that other users may write to, on a real machine. */

const same = (error: unknown): unknown => error;

const skip = process.getuid?.() === 0 ? false : "only root can give folders to another user";
const other = 61_003;

function context(t: TestContext, { secret = false } = {}) {
  const top = mkdtempSync(join(tmpdir(), "trigger-shared-"));
  chmodSync(top, 0o755);
  t.after(() => rmSync(top, { recursive: true, force: true }));
  const said: string[] = [];
  const path = (...names: string[]): string => join(top, ...names);
  mkdirSync(path("secret"), { mode: 0o700 });
  writeFileSync(path("secret", "shadow"), "root:hash\n");
  mkdirSync(path("state"), { mode: 0o700 });
  // As Debian's /var/cache/bind: owned by root, and writable for the daemon's group.
  mkdirSync(path("zones"));
  chownSync(path("zones"), 0, other);
  chmodSync(path("zones"), 0o775);
  const { host } = hostApi({
    ...{ name: "box", store: newStore("demo"), clock: standingClock(), secret },
    machine: realMachine({ scratch: path("state", "scratch"), kept: path("state", "kept") }),
    signal: new AbortController().signal,
    log: (line) => void said.push(line),
  });
  return {
    ...{ path, said, host },
    install: (file: string, text: string, steps: InstallSteps = {}) => host.install({ path: file, text }, steps),
    link(target: string, at: string): void {
      symlinkSync(target, at);
      lchownSync(at, other, other);
    },
  };
}

test("a file in a folder of root and a daemon's group is replaced", { skip }, async (t) => {
  const { path, install } = context(t);
  const check: InstallSteps = { check: ["grep", "-q", "zone", "{staged}"] };
  for (const text of ["zone 1\n", "zone 2\n"]) {
    await install(path("zones", "campus"), text, check);
    assert.equal(readFileSync(path("zones", "campus"), "utf8"), text);
  }
  await assert.rejects(install(path("zones", "campus"), "bad\n", check), /failed, but the last good text passes it/);
  assert.equal(readFileSync(path("zones", "campus"), "utf8"), "zone 2\n");
});

test("what is kept of a daemon's folder lies in the state, and goes back", { skip }, async (t) => {
  const { path, install, said } = context(t);
  const [file, stolen] = [path("zones", "campus"), path("zones", ".trigger")];
  await install(file, "zone 0\n");
  writeFileSync(file, "edited\n");
  await install(file, "zone 1\n");
  const [, aside = ""] = /a copy is kept as (\S+)/.exec(said.join("\n")) ?? [];
  assert.ok(aside.startsWith(path("state", "kept")), aside);
  assert.equal(readFileSync(aside, "utf8"), "edited\n");
  const steal: InstallSteps = {
    async reload() {
      rmSync(stolen, { recursive: true, force: true });
      if (readFileSync(file, "utf8") === "zone 2\n") throw new Error("refused");
    },
  };
  await assert.rejects(install(file, "zone 2\n", steal), /the last good text is restored/);
  assert.equal(readFileSync(file, "utf8"), "zone 1\n");
  assert.deepEqual([statSync(path("state", "kept")).mode & 0o777, existsSync(stolen)], [0o700, false]);
});

test("a symlink that a daemon's user made is neither read nor written through", { skip }, async (t) => {
  const { path, install, link, said } = context(t);
  link(path("secret", "shadow"), path("zones", "campus"));
  link(path("secret", "authorized_keys"), path("zones", "new"));
  link(path("secret"), path("zones", "way"));
  const way = /is a symlink \(uid 61003\) in .*zones \(uid 0, gid 61003, mode 775\).* not followed\. Name the file/;
  const found =
    /is a symlink to .*\(uid 61003\), in a folder that other users may write: it is not followed.*\. Name the target file/;
  for (const [file, remedy] of [
    ["campus", found],
    ["new", found],
    ["way/authorized_keys", way],
  ] as const) {
    await assert.rejects(install(path("zones", file), "ssh-ed25519 AAAA\n"), remedy);
  }
  assert.deepEqual(readdirSync(path("secret")), ["shadow"]);
  assert.equal(readFileSync(path("secret", "shadow"), "utf8"), "root:hash\n");
  assert.doesNotMatch(said.join("\n"), /root:hash/);
});

test("a folder .trigger of another user is moved away, never used", { skip }, async (t) => {
  const { path, install, link, said } = context(t);
  const staged = path("zones", ".trigger");
  const inTheWay: readonly (readonly [put: () => void, what: RegExp])[] = [
    [
      () => link(path("secret"), staged),
      /\.trigger is a symlink: .*: it is moved to .*zones\/\.trigger\.[0-9a-f]{12}$/,
    ],
    [() => writeFileSync(staged, ""), /\.trigger is a file: trigger keeps its staged files/],
    [
      () => {
        mkdirSync(staged);
        chownSync(staged, other, other);
      },
      /\.trigger belongs to another user \(uid 61003/,
    ],
  ];
  for (const [put, what] of inTheWay) {
    rmSync(staged, { recursive: true, force: true });
    put();
    await install(path("zones", "campus"), `${what}`);
    assert.match(said.at(-1) ?? "", what);
    assert.deepEqual([statSync(staged).uid, lstatSync(staged).mode & 0o777], [0, 0o700]);
  }
  chmodSync(staged, 0o777);
  await install(path("zones", "campus"), "x");
  assert.equal(statSync(staged).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(path("secret")), ["shadow"]);
});

test("a check in a shared folder sees copies that others cannot swap", {
  skip,
}, async (t) => {
  const { path, install } = context(t);
  mkdirSync(path("own"));
  writeFileSync(path("zones", "main"), `include ${path("zones", "campus")}\n`);
  const asked = (folder: string): InstallSteps => ({
    check: [
      "sh",
      "-c",
      'cat "$1"; echo "$1"; readlink /proc/self/cwd; exit 1',
      "sh",
      `{staged:${path(folder, "campus")}}`,
    ],
  });
  const seen = async (folder: string): Promise<string> => {
    const error = await install(path(folder, "campus"), "text\n", asked(folder)).catch((thrown: unknown) => thrown);
    return reason(error);
  };
  assert.match(await seen("own"), new RegExp(`text\n${path("own", ".trigger")}`));
  assert.match(await seen("zones"), new RegExp(`text\n./campus\n${path("state", "scratch")}/`));
  assert.deepEqual(readdirSync(path("state")), [], "the copies are gone");

  const file = { path: path("zones", "campus"), text: "text\n", within: path("zones", "main") };
  const { host } = hostApi({
    ...{ name: "box", store: newStore("demo"), clock: standingClock(), secret: false },
    ...{ machine: realMachine({ scratch: path("state", "scratch") }), signal: new AbortController().signal },
    log: () => {},
  });
  const within: InstallSteps = { check: ["sh", "-c", 'cat "$1" $(cut -d" " -f2 "$1"); exit 1', "sh", "{staged}"] };
  await assert.rejects(host.install(file, within), (error) =>
    /include \/proc\/self\/cwd\/campus\ntext/.test(reason(error)),
  );
});

test("a checker in a shared folder has the rights of its writer", { skip }, async (t) => {
  const { path, install, host } = context(t);
  for (const name of ["own", "theirs"]) mkdirSync(path(name));
  chownSync(path("theirs"), other, other);
  const check = ["sh", "-c", "echo $(id -u) $(id -g) $(id -G); exit 1"] as const;
  const asked = async (...folders: string[]): Promise<string> => {
    const files = folders.map((folder) => ({ path: path(folder, "campus"), text: "text\n" }));
    const [step, steps] = [["true"], { check }] as const;
    if (folders.length === 1)
      return reason(await install(path(`${folders[0]}`, "campus"), "text\n", steps).catch(same));
    return reason(await host.install(files, { check: [step, check] }).catch(same));
  };
  assert.match(await asked("own"), /exited 1: 0 0 /);
  assert.match(await asked("theirs"), /exited 1: 61003 61003 61003$/);
  assert.match(await asked("zones"), /exited 1: 65534 61003 61003$/);
  assert.match(await asked("zones", "theirs"), /exited 1: 65534 65534 65534$/);
  assert.match(await asked("own", "theirs"), /exited 1: 65534 65534 65534$/);
});

test("a check as another user has that user's rights and private copies", { skip }, async (t) => {
  const { path, install } = context(t, { secret: true });
  const script = `id -u; id -G; grep NoNewPrivs /proc/self/status; cat "$1" ./more; env | sort; echo x 2>/dev/null > ./new || echo no
    echo x 2>/dev/null > "$1" || echo no; cat ${path("secret", "shadow")} 2>/dev/null || echo no; stat -c "%U %a" . "$1"; exit 1`;
  const check = { command: ["sh", "-c", script, "sh", "{staged}"], user: { uid: other, gid: other } } as const;
  const steps: InstallSteps = { check: { ...check, beside: { more: "beside\n" } } };
  const error = await install(path("zones", "campus"), "text\n", steps).catch((thrown: unknown) => thrown);
  const failed = (error as Error).cause;
  assert.ok(failed instanceof CommandFailed);
  const [uid, groups, privileges, text, more, ...rest] = failed.stdout.split("\n");
  assert.deepEqual([uid, groups, privileges, text, more], [`${other}`, `${other}`, "NoNewPrivs:\t1", "text", "beside"]);
  assert.match(rest.shift() ?? "", /^PATH=/);
  assert.match(rest.shift() ?? "", /^PWD=/);
  assert.deepEqual(
    rest.filter((line) => !line.startsWith("_=")),
    ["no", "no", "no", "root 750", "root 640", ""],
  );
  assert.doesNotMatch(reason(error), /beside|NoNew/, "what it said may hold secrets");
  assert.ok(!existsSync(path("state", "scratch")));
});

test("a check that cannot become its user blames the unit, not the text", { skip }, async (t) => {
  const { path, install } = context(t);
  await install(path("own"), "good\n");
  const url = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
  const program = `
    const { hostApi } = await import(${url("../run/host-api.ts")});
    const { newStore, standingClock } = await import(${url("../../../test/fixtures/install.ts")});
    const { realMachine } = await import(${url("../../machines/real.ts")});
    const { reason } = await import(${url("../../core/util/errors.ts")});
    const { host } = hostApi({ name: "box", store: newStore("demo"), clock: standingClock(), secret: false,
      machine: realMachine({ scratch: ${JSON.stringify(path("state", "scratch"))} }), signal: new AbortController().signal, log() {} });
    host.owned.claim([${JSON.stringify(path("own"))}]);
    const check = { command: ["true"], user: { uid: ${other}, gid: ${other} } };
    await host.install({ path: ${JSON.stringify(path("own"))}, text: "new" }, { check }).catch((error) => console.log(reason(error)));`;
  const node = [process.execPath, "--input-type=module", "-e", program];
  const said = execFileSync("setpriv", ["--bounding-set=-setuid,-setgid", ...node], { encoding: "utf8" });
  assert.match(said, /no text is to blame: the check must run as uid 61003, but this process may not switch to it/);
  assert.match(said, /the unit needs CAP_SETUID and CAP_SETGID/);
  assert.equal(readFileSync(path("own"), "utf8"), "good\n");
});
