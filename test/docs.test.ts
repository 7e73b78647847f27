import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { main } from "../src/cli/main.ts";
import type { Terminal } from "../src/cli/screen.ts";
import { until } from "./until.ts";

// The pages are held to the code: what they show exists, compiles, and does what they say.

const root = join(import.meta.dirname, "..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const below = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => !/(^|\/)(out|\.trigger)(\/|$)/.test(name))
    .map((name) => join(folder, name));

const pages = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  ...below("docs").filter((file) => file.endsWith(".md")),
];
const blocksOf = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, block = ""]) => block);
/** Word for word: a page may align its comments. */
const words = (text: string): string => text.replace(/\s+/g, " ").trim();

/** Runs a command as a terminal would, and gives its exit code and all that it said. */
async function run(line: readonly string[], folder: string, signal = new AbortController().signal) {
  let said = "";
  const write = (text: string): void => {
    said += text;
  };
  const terminal: Terminal = { folder, colour: false, signal, out: write, err: write };
  return { code: await main(line, terminal), said };
}

/** Runs the test files of a folder, where `trigger/testing` is the one of the sources; gives the output, and throws if one fails. */
async function nodeTest(folder: string): Promise<string> {
  const door = pathToFileURL(join(root, "src/project/front-door.ts")).href;
  const open = `data:text/javascript,import { openFrontDoor } from "${door}"; openFrontDoor();`;
  const line = ["--import", open, "--test", "--test-reporter=spec", `${folder}/*.test.ts`];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return (await promisify(execFile)(process.execPath, line, { env })).stdout;
}

test("each TypeScript block of the README and pages comes from a compiled file", () => {
  const files = [...below("examples"), ...below("test/types/right")].filter((file) => file.endsWith(".ts"));
  const texts = files.map((file) => words(read(file)));
  for (const page of pages) {
    for (const block of blocksOf(read(page), "ts")) {
      const found = texts.some((text) => text.includes(words(block)));
      assert.ok(found, `${page}: no file of examples/ or test/types/right has this:\n${block}`);
    }
  }
});

test("each link of a page leads to a file of the project", () => {
  let links = 0;
  for (const page of pages) {
    for (const [, target = ""] of read(page)
      .replace(/`[^`\n]*`/g, "")
      .matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      links += 1;
      assert.ok(existsSync(join(root, dirname(page), target)), `${page} links to ${target}, which is not there`);
    }
  }
  assert.ok(links > 20, `only ${links} links were found`);
});

test("each command that a page shows is one that trigger understands", async () => {
  let commands = 0;
  for (const page of pages) {
    const text = read(page).replace(/^```(ts|json|ldif)\n.*?^```$/gms, "");
    const inline = [...text.matchAll(/`trigger ([^`]+)`/g)].map(([, line = ""]) => line);
    const lines = [...text.matchAll(/^ {4}trigger (.*)$/gm)].map(([, line = ""]) => line);
    for (const line of [...inline, ...lines].filter((line) => /^[a-z-]/.test(line))) {
      const [shown = ""] = line.split(/ {2,}/); // what follows two spaces explains
      const given = [...shown.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");
      commands += 1;
      const { code, said } = await run([...given, "--help"], root); // with --help nothing is done
      assert.equal(code, 0, `${page}: trigger ${line}: ${said}`);
    }
  }
  assert.ok(commands > 20, `only ${commands} commands were found`);
});

test("the pattern that a page gives for one test matches one", () => {
  const shown = pages.flatMap((page) => [...read(page).matchAll(/--test-name-pattern="([^"]+)" (\S+\.ts)/g)]);
  assert.ok(shown.length > 0);
  for (const [line, pattern = "", file = ""] of shown) {
    assert.match(read(file), new RegExp(`^test\\(".*${pattern}.*"`, "m"), line);
  }
});

test("every page of docs stands in the index", () => {
  const index = read("docs/README.md");
  for (const page of pages.filter((file) => file.startsWith("docs/") && file !== "docs/README.md")) {
    assert.ok(index.includes(`](${page.slice("docs/".length)})`), `docs/README.md does not name ${page}`);
  }
});

test("the project of docs/add-a-service.md behaves as the page says", async (t) => {
  const page = read("docs/add-a-service.md");
  const folder = mkdtempSync(join(tmpdir(), "trigger-docs-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const shown = (command: string): string => {
    const after = page.split(`    trigger ${command}\n\n`)[1] ?? assert.fail(`the page does not show ${command}`);
    return `${after.split("\n\n")[0]}\n`.replace(/^ {4}/gm, "");
  };
  assert.equal((await run(["init", "campus"], folder)).code, 0);
  const campus = join(folder, "campus");
  const [alice = "", changes = ""] = blocksOf(page, "ldif");
  writeFileSync(join(campus, "directory.ldif"), readFileSync(join(campus, "directory.ldif"), "utf8") + alice);
  writeFileSync(join(campus, "new.ldif"), changes);
  cpSync(join(root, "examples/first-service"), campus, {
    recursive: true,
    filter: (from) => !/\/(\.trigger|out)$/.test(from),
  });

  for (const command of ["try gate", "try gate --entry cn=laptop,dc=campus,dc=example"]) {
    assert.deepEqual(await run(command.split(" "), campus), { code: 0, said: shown(command) });
  }
  assert.deepEqual(await run(["test", "gate"], campus), { code: 0, said: shown("test gate --host box") });
  const gate = join(campus, "services/gate.ts");
  const good = readFileSync(gate, "utf8");
  writeFileSync(gate, good.replace("await host.install(", "if (lines.length > 0) await host.install("));
  const [fault = assert.fail("the page shows no broken rule")] = /^ {4}fail .*\n(?: {10}.*\n)+/m.exec(page) ?? [];
  const broken = await promisify(execFile)(process.execPath, [join(root, "bin/trigger.js"), "test", "gate"], {
    cwd: campus,
  }).catch((error) => error);
  assert.equal(broken.code, 1);
  assert.ok(broken.stdout.replaceAll(campus, "…").includes(fault.replace(/^ {4}/gm, "")), broken.stdout);
  writeFileSync(gate, good);
  assert.match(await nodeTest(join(campus, "services")), /^ℹ pass 2$/m);
  mkdirSync(join(campus, "out/gate"), { recursive: true });
  const stop = new AbortController();
  const running = run(["up", "--all"], campus, stop.signal);
  const has = (file: string): string => {
    const path = join(campus, "out", file);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  };
  try {
    await until(() => has("gate/gate.list") === "2001:db8::2 laptop alice\n" && has("hosts") !== "");
    await until(() => has("guests") === "alice\n" && has("door") === "1 may enter\n");
    assert.equal((await run(["send", "siren", '{"on": true}'], campus)).code, 0);
    await until(() => existsSync(join(campus, "out/siren")));
    await until(async () => (await run(["status"], campus)).code === 0);
    // The time of the only row is over.
    const directory = readFileSync(join(campus, "directory.ldif"), "utf8");
    writeFileSync(join(campus, "directory.ldif"), directory.replace("2099-12-31", "2020-12-31"));
    await until(() => has("gate/gate.list") === "" && has("gate.list") === "");
    writeFileSync(join(campus, "directory.ldif"), directory);
    await until(() => has("gate/gate.list") === "2001:db8::2 laptop alice\n");
  } finally {
    stop.abort();
    await running;
  }
  const { code, said } = await run(["plan", "new.ldif"], campus);
  assert.equal(code, 1);
  assert.match(said, /^\+192\.0\.2\.20 phone alice$/m);
  assert.match(said, /^would run: cp /m);
});
