import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { shrinkwrapOf } from "../../scripts/shrinkwrap.ts";
import { until } from "../until.ts";

// The package as `npm pack` makes it, installed without a network: its dependencies are links to those of the checkout.

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "trigger-package-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));
const { name: packageName } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const tarball = pack();

/** The output of a program, which must succeed. */
function run(program: string, words: readonly string[], cwd: string): string {
  try {
    return execFileSync(program, words, { cwd, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    return assert.fail(`${program} ${words.join(" ")}: ${error}\n${stdout}\n${stderr}`);
  }
}

/** Packs a copy of the checkout, which is built there: other tests run from the checkout itself. */
function pack(): string {
  const copy = join(folder, "checkout");
  const parts = ["bin", "docs", "examples", "scripts", "src", "README.md", "LICENSE", ".npmrc"];
  const settings = ["package.json", "package-lock.json", "tsconfig.json", "tsconfig.build.json"];
  for (const part of [...parts, ...settings]) cpSync(join(root, part), join(copy, part), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  run("npm", ["pack", "--offline", "--pack-destination", folder], copy);
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return join(folder, `${packageName}-${version}.tgz`);
}

/** Installs the package into `modules`, with its dependencies beside it or within it as npm does; gives its program. */
function install(modules: string, dependencies: string, name = packageName): string {
  const path = join(modules, name);
  mkdirSync(path, { recursive: true });
  run("tar", ["-xzf", tarball, "-C", path, "--strip-components=1"], folder);
  const wanted = JSON.parse(readFileSync(join(path, "package.json"), "utf8")).dependencies as Record<string, string>;
  for (const name of Object.keys(wanted)) {
    const link = join(dependencies, name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, "node_modules", name), link);
  }
  return join(path, "bin/trigger.js");
}

/** Takes away the link of a project, as npm does, and sees that the script that npm runs then makes it again. */
function relinks(project: string, env: NodeJS.ProcessEnv = {}): void {
  rmSync(join(project, "node_modules/trigger"));
  execFileSync("npm", ["run", "postinstall"], { cwd: project, env: { ...process.env, ...env }, stdio: "pipe" });
  assert.ok(lstatSync(join(project, "node_modules/trigger")).isSymbolicLink());
  assert.equal(typeCheck(project), "");
}

/** The errors of a project's types; empty if there is none. */
const typeCheck = (project: string): string =>
  spawnSync(join(root, "node_modules/.bin/tsc"), ["--noEmit"], { cwd: project, encoding: "utf8" }).stdout;

test("the package does not have the name of another program on the registry", () => {
  assert.notEqual(packageName, "trigger");
});

test("the package holds its dependencies to the lock file", () => {
  const packed = run("tar", ["-xzOf", tarball, "package/npm-shrinkwrap.json"], folder);
  assert.equal(packed, shrinkwrapOf(readFileSync(join(root, "package-lock.json"), "utf8")));
  assert.ok(!existsSync(join(folder, "checkout/npm-shrinkwrap.json")), "it would take the place of package-lock.json");
});

test("a project with the package under the name trigger type-checks without a link", () => {
  const project = join(folder, "alias");
  const modules = join(project, "node_modules");
  const program = install(modules, modules, "trigger"); // npm install trigger@file:…
  run(process.execPath, [program, "init"], project);
  assert.equal(typeCheck(project), "");
  assert.ok(!lstatSync(join(modules, "trigger")).isSymbolicLink());
});

test("a project with the package in its own node_modules type-checks and runs", async () => {
  const project = join(folder, "local");
  const modules = join(project, "node_modules");
  const program = install(modules, modules);
  const made = run(process.execPath, [program, "init"], project);
  assert.doesNotMatch(made, /node_modules/);
  assert.equal(typeCheck(project), "");
  relinks(project);
  assert.doesNotMatch(readFileSync(join(project, "tsconfig.json"), "utf8"), /"[^"]*\/[^"]*\/|paths|typeRoots/);
  mkdirSync(join(project, "lib"));
  const check = `import { conformance, ldifEntries } from "trigger/testing";
    import hosts from "../services/hosts.ts";
    await conformance(hosts, { entries: ldifEntries("directory.ldif"), histories: 1, crashes: 1 });`;
  writeFileSync(join(project, "lib/check.ts"), check);
  run(process.execPath, ["lib/check.ts"], project);
  assert.equal(typeCheck(project), "");
  const up = spawn(process.execPath, [program, "up", "--all"], { cwd: project, stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(up, "close");
  const hosts = join(project, "out/hosts");
  await until(() => existsSync(hosts) && readFileSync(hosts, "utf8").includes("printer")).finally(() => up.kill());
  assert.equal((await ended)[0], 0);
});

test("a project of a globally installed package type-checks by a link", () => {
  const modules = join(folder, "usr/lib/node_modules");
  const program = install(modules, join(modules, packageName, "node_modules"));
  run(process.execPath, [program, "init", "global"], folder);
  assert.equal(typeCheck(join(folder, "global")), "");
  relinks(join(folder, "global"), { npm_config_prefix: join(folder, "usr") });
  assert.match(readFileSync(join(folder, "global/.gitignore"), "utf8"), /^node_modules\/$/m);
  const service = join(folder, "global/services/hosts.ts");
  writeFileSync(service, readFileSync(service, "utf8").replace("machine.name", "machine.nam"));
  assert.match(typeCheck(join(folder, "global")), /^services\/hosts\.ts.*'nam'/);
});

test("a project of a checkout type-checks by a link", () => {
  const project = join(folder, "of-checkout");
  run(process.execPath, [join(root, "bin/trigger.js"), "init", project], folder);
  assert.equal(typeCheck(project), "");
  assert.match(run("npm", ["test"], project), /^pass {2}converges after a crash at every step$/m);
});
