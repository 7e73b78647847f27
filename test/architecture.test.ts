import assert from "node:assert/strict";
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { code as laneCode, longer, packagedPrograms, reached, unitTests } from "./lanes.ts";

/** The rooms of `src/` and what each may import: docs/design/rooms.md. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  core: [],
  ports: ["core"],
  sqlite: [],
  brokers: ["core", "ports", "sqlite"],
  directories: ["core", "ports", "sqlite"],
  machines: ["core", "ports"],
  transcriber: ["core", "ports"],
  host: ["core", "ports", "sqlite"],
  services: ["core", "ports"],
  project: ["core"],
  "index.ts": ["core", "services"],
  "directory.ts": ["core", "directories", "operations", "project"],
  testing: ["core", "ports", "directories", "machines", "transcriber", "host"],
  "testing.ts": ["core", "ports", "testing"],
  daemon: ["core", "ports", "sqlite", "brokers", "directories", "machines", "transcriber", "host", "project"],
  health: ["core"],
  operations: [
    ...["core", "ports", "sqlite", "brokers", "directories", "machines", "transcriber", "host", "project"],
    ...["daemon", "health"],
  ],
  cli: ["core", "ports", "project", "health", "operations", "daemon", "testing"],
};

/**
 * The wings of a room: its folders, and which of them each may import. A file that lies in no wing may import them all, and no wing
 * imports it. A room that is not named here has no wings.
 */
const wings: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  core: {
    util: [],
    directory: ["util"],
    stream: ["util"],
    service: ["util", "directory", "stream"],
    config: ["util", "directory", "stream"],
  },
  transcriber: {
    mirror: [],
    tables: ["mirror"],
    publish: ["mirror", "tables"],
    receive: ["mirror", "tables", "publish"],
  },
  host: {
    store: [],
    install: ["store"],
    inbox: ["store"],
    run: ["store", "install", "inbox"],
    report: ["store", "inbox"],
  },
};

const source = fileURLToPath(new URL("../src/", import.meta.url));
const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter(
  (file) => file.endsWith(".ts") && !/\.test\.ts$/.test(file),
);
const imports = new Map(files.map((file) => [file, importsOf(file)]));

test("each room imports only along its arrows", () => {
  const wrong: string[] = [];
  for (const [file, targets] of imports) {
    const room = roomOf(file);
    for (const target of targets) {
      const other = roomOf(target);
      if (other !== room && !arrows[room]?.includes(other)) wrong.push(`${file} imports ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("each wing of a room imports only along its arrows", () => {
  const wrong: string[] = [];
  for (const [file, targets] of imports) {
    const arrows = wings[roomOf(file)];
    const wing = wingOf(file);
    if (!arrows || wing === undefined) continue;
    for (const target of targets) {
      const other = wingOf(target);
      if (roomOf(target) !== roomOf(file) || other === wing) continue;
      if (other === undefined || !arrows[wing]?.includes(other)) wrong.push(`${file} imports ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("every folder of a room with wings is a wing known here", () => {
  const unknown = files.filter((file) => {
    const arrows = wings[roomOf(file)];
    const wing = wingOf(file);
    return arrows && wing !== undefined && !(wing in arrows);
  });
  assert.deepEqual(unknown, []);
});

test("each path of docs/design/rooms.md exists", () => {
  const page = readFileSync(new URL("../docs/design/rooms.md", import.meta.url), "utf8");
  const named = [...page.matchAll(/`((?:src|test|docs)\/[\w./-]+)`/g)].map(([, path = ""]) => path);
  // NAME stands for the name of the next part: the folder before it exists.
  const paths = named.map((path) => path.replace(/(?<=\/)NAME\b.*$/, ""));
  assert.ok(paths.length > 20, `only ${paths.length} paths were found`);
  assert.deepEqual(
    paths.filter((path) => !existsSync(new URL(`../${path}`, import.meta.url))),
    [],
  );
});

test("fixtures of tests are in test/fixtures, not in the product", () => {
  assert.deepEqual(
    files.filter((file) => /\.fixture\.ts$|\bfixtures\//.test(file)),
    [],
  );
});

test("every room of src is known here", () => {
  assert.deepEqual(
    [...new Set(files.map(roomOf))].filter((room) => !(room in arrows)),
    [],
  );
});

test("no file imports itself by way of others, types included", () => {
  assert.deepEqual(cycles(), []);
});

test("core reads no clock, chance, environment, file or network", () => {
  const forbidden = /Date\.now|new Date\(\)|Math\.random|process\.|from "node:(?!crypto|util|buffer)|\bfetch\(/;
  const wrong = files.filter((file) => roomOf(file) === "core" && forbidden.test(code(file)));
  assert.deepEqual(wrong, []);
});

test("the environment is read in cli alone", () => {
  const wrong = files.filter((file) => roomOf(file) !== "cli" && /process\.env/.test(code(file)));
  assert.deepEqual(wrong, []);
});

test("only main, start and the screen print", () => {
  const doors = ["cli/main.ts", "cli/screen.ts", "cli/start.ts"];
  const printing = /\bconsole\.|process\.std(?:out|err)|\bterminal\b/;
  const wrong = files.filter((file) => !doors.includes(file) && printing.test(code(file)));
  assert.deepEqual(wrong, []);
});

test("only `trigger test` loads code for tests", () => {
  const loaded = new Set<string>();
  const visit = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    for (const next of importsOf(file, { onDemand: false })) visit(next);
  };
  visit("cli/start.ts");
  assert.ok(loaded.has("daemon/up.ts"));
  assert.deepEqual(
    [...loaded].filter((file) => roomOf(file) === "testing"),
    [],
  );
  const users = [...imports].filter(([, targets]) => targets.some((file) => roomOf(file) === "testing"));
  const rooms = new Set(users.map(([file]) => (roomOf(file) === "cli" ? file : roomOf(file))));
  assert.deepEqual([...rooms].sort(), ["cli/test.ts", "testing", "testing.ts"]);
});

test("the composer of a host is one file of at most 150 lines", () => {
  const lines = readFileSync(join(source, "daemon/up.ts"), "utf8").split("\n").length;
  assert.ok(lines <= 150, `daemon/up.ts has ${lines} lines: it says what is put together, and other files how`);
});

test("nothing inside imports the front doors", () => {
  const isDoor = (file: string): boolean => !file.includes("/");
  const wrong = [...imports].filter(([, targets]) => targets.some(isDoor)).map(([file]) => file);
  assert.deepEqual(wrong, []);
});

test("no test of the fast lane starts a program of a Debian package", () => {
  const programs = packagedPrograms();
  assert.ok(programs.length > 20 && programs.includes("named"));
  const start = new RegExp(`\\b(?:spawn|exec|execFile)(?:Sync)?\\(\\s*["'\`](?:${programs.join("|")})["'\`\\s]`);
  const tests = unitTests();
  assert.ok(tests.length > 100);
  const wrong = tests.flatMap((file) =>
    [...reached(file)].filter((other) => !files.includes(other.slice("src/".length)) && start.test(laneCode(other))),
  );
  assert.deepEqual([...new Set(wrong)], []);
});

test("the product names no simulation, and has no switch for one", () => {
  const wrong = files.filter((file) => /simulat|safeguard/i.test(readFileSync(join(source, file), "utf8")));
  assert.deepEqual(wrong, []);
});

test("statements of SQLite stand in the rooms of its files alone", () => {
  const rooms = /^(?:sqlite|brokers\/sqlite|directories\/events|host\/store)\//;
  // Those that open a file, and hand on what reads it.
  const openers = [
    ...["daemon/store-file.ts", "daemon/event-directory.ts"],
    ...["operations/plan.ts", "testing/kit/life.ts", "testing/kit/world.ts"],
  ];
  const statement =
    /\b(?:database|db|statement)\b[^;\n]*\.(?:prepare|exec)\(|\.prepare\(|["'`]\s*(?:SELECT|INSERT (?:OR|INTO)|UPDATE \w+ SET|DELETE FROM|CREATE (?:TEMP )?(?:TABLE|INDEX|TRIGGER)|PRAGMA)\b/;
  // Kea's SQL is Kea's: statements for its own database.
  const outside = files.filter((file) => !rooms.test(file) && file !== "services/kea/sql.ts");
  assert.deepEqual(
    outside.filter((file) => statement.test(code(file))),
    [],
  );
  assert.deepEqual(
    outside.filter((file) => /\bDatabaseSync\b/.test(code(file)) && !openers.includes(file)),
    [],
  );
});

test("each test that is too long for the fast lane has its reason", () => {
  assert.deepEqual(
    Object.entries(longer).filter(
      ([file, reason]) => !existsSync(new URL(`../${file}`, import.meta.url)) || reason === "",
    ),
    [],
  );
});

test("npm test runs every test file", () => {
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const script = readFileSync(join(cwd, "scripts/test.sh"), "utf8");
  const run = new Set([...script.matchAll(/"([^"]+\.test\.ts)"/g)].flatMap(([, glob = ""]) => globSync(glob, { cwd })));
  const all = globSync("{src,test,scripts,bin}/**/*.test.ts", { cwd });
  assert.ok(all.length > 250);
  assert.deepEqual(
    all.filter((file) => !run.has(file)),
    [],
  );
});

test("no program reads why a row is retained or a service held", () => {
  const named = String.raw`\b(?:why|held|detail)\b`;
  const looks = new RegExp(
    [
      String.raw`${named}\)?\??\.(?:startsWith|endsWith|includes|indexOf|match|search|split|replace)\(`,
      String.raw`\.(?:exec|test)\((?:[\w.?]+\.)?(?:why|held|detail)\b`,
      String.raw`\b(?:why|held|detail)\)? (?:NOT )?(?:LIKE|GLOB)\b`,
      String.raw`\b(?:substr|instr)\((?:\w+\.)?(?:why|held|detail)\b`,
    ].join("|"),
  );
  // An error of RabbitMQ, and a list of that name: none is a sentence of a store.
  const others = ["brokers/rabbitmq/queue-arguments.ts", "testing/broker/queue.ts"];
  const wrong = files.filter((file) => !others.includes(file) && looks.test(code(file)));
  const says = "a sentence may be reworded: ask `retained_by` and `held_by`, or `by` and `heldBy` of a report";
  assert.deepEqual(wrong, [], says);
});

function roomOf(file: string): string {
  return file.split("/")[0] ?? file;
}

/** The wing that a file of a room with wings lies in; undefined of a file that lies beside them. */
function wingOf(file: string): string | undefined {
  const parts = file.split("/");
  return parts.length > 2 ? parts[1] : undefined;
}

function code(file: string): string {
  return readFileSync(join(source, file), "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
}

/** The files that a file imports; without `onDemand` those alone that are loaded with it. */
function importsOf(file: string, { onDemand = true } = {}): string[] {
  const form = onDemand ? /(?:from|import\(|import)\s*"(\.[^"]+)"/g : /(?:from|import)\s*"(\.[^"]+)"/g;
  const found = [...code(file).matchAll(form)].map((match) => match[1] ?? "");
  return found.map((path) => normalize(join(dirname(file), path)));
}

function cycles(): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) found.push([...trail.slice(trail.indexOf(file)), file].join(" → "));
    if (done.has(file) || trail.includes(file)) return;
    for (const next of imports.get(file) ?? []) visit(next, [...trail, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  return found;
}
