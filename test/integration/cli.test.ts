import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { laptop, ldif, makeProject, names, printer, record, type TestProject } from "../project.ts";
import { until } from "../until.ts";

const commands = [
  "init",
  "check",
  "up",
  "status",
  "diff",
  "plan",
  "try",
  "send",
  "regen",
  "retry",
  "drop",
  "hold",
  "approve",
  "adopt",
  "forecast",
  "key",
];

/** A project whose hosts are up in one process, with everything applied. */
async function upProject(t: TestContext, options: Parameters<typeof makeProject>[1] = {}) {
  const project = makeProject(t, options);
  const up = project.spawn(["up", "--all"]);
  await well(project).catch((error) => {
    throw new Error(`${error.message}\n${up.said()}`);
  });
  return { project, up };
}

const well = (project: TestProject) =>
  until(async () => (await project.trigger(["status"])).code === 0, { within: 60_000 });

/** A hash of every file below a folder, with its name. */
function treeHash(folder: string): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    hash.update(`${name}\0`);
    if (statSync(join(folder, name)).isFile()) hash.update(readFileSync(join(folder, name))).update("\0");
  }
  return hash.digest("hex");
}

test("help names every command, and each command has a help text", async (t) => {
  const { trigger } = makeProject(t);
  for (const words of [["help"], ["--help"], ["-h"]]) {
    const { code, out } = await trigger(words);
    assert.equal(code, 0);
    for (const name of commands) assert.match(out, new RegExp(`^  ${name} `, "m"));
  }
  assert.equal((await trigger([])).code, 64);
  for (const name of commands) {
    const { code, out, err } = await trigger([name, "--help"]);
    assert.deepEqual([code, err], [0, ""], name);
    assert.match(out, new RegExp(`^trigger ${name}`));
    for (const line of out.split("\n")) assert.ok(line.length <= 160, `${name}: ${line}`);
  }
});

test("--version prints the versions of trigger and of Node, and help names it", async (t) => {
  const { trigger } = makeProject(t);
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"));
  const out = `trigger ${version} (Node ${process.versions.node})\n`;
  for (const word of ["--version", "-V"]) assert.deepEqual(await trigger([word]), { code: 0, out, err: "" });
  assert.match((await trigger(["help"])).out, /`trigger --version` \(-V\)/);
});

test("wrong usage exits 64 and names the known words; an impossible request exits 2", async (t) => {
  const { trigger, path } = makeProject(t);
  const cases: [words: string[], code: number, error: RegExp][] = [
    [["stauts"], 64, /^trigger: unknown command "stauts" \(known: adopt, .*\); did you mean "status"\?\n$/],
    [["status", "--jsno"], 64, /did you mean "--json"\?\n$/],
    [["plan"], 64, /^trigger: an operand is missing: trigger plan FILE\.ldif \[options\]\n$/],
    [["up", "box"], 64, /^trigger: too many operands: trigger up \[options\]\n$/],
    [["status", "-p", path("services")], 2, /^trigger status: .*services\/trigger\.config\.ts does not exist/],
    [["up", "--host", "bx"], 2, /^trigger up: .*unknown host "bx" \(known: box, civet\); did you mean "box"\?\n$/],
    [["up", "--host", "box", "--all"], 2, /^trigger up: --all and --host exclude each other\n$/],
    [["plan", "none.ldif"], 2, /^trigger plan: ENOENT.*none\.ldif/],
    [["try", "nams"], 2, /unknown service "nams" \(known: names, note\); did you mean "names"\?\n$/],
    [["try", "note"], 2, /^trigger try: note handles plain messages: it has no table\n$/],
    [
      ["try", "names", "-e", "cn=none,dc=campus,dc=example"],
      2,
      /the directory has no entry "cn=none,dc=campus,dc=example"\n$/,
    ],
    [["try", "names", "-e", "no name"], 2, /the directory has no entry "no name"\n$/],
    [
      ["send", "names", "{}"],
      2,
      /^trigger send: names: its rows are computed from the directory: change an entry, or `trigger regen names`\n$/,
    ],
    [["send", "none", "{}"], 2, /unknown service "none"/],
    [["send", "note", "{"], 2, /^trigger send: the message is not JSON: /],
    [["send", "note", '{"n": "1"}'], 2, /^trigger send: note: n: .*expected number, received string\n$/],
    [["send", "event", "{}"], 2, /an event is a JSON array of four/],
    [["regen", "event"], 2, /unknown service "event" \(known: names, note\)/],
    [["retry", "names", "--host", "civet"], 2, /^trigger retry: host civet does not run names; these do: box\n$/],
  ];
  for (const [words, code, error] of cases) {
    const ended = await trigger(words);
    assert.equal(ended.code, code, `${words}: ${ended.err}`);
    assert.match(ended.err, error);
    assert.equal(ended.out, "");
    assert.equal(ended.err.trimEnd().split("\n").length, 1, ended.err);
  }
});

test("a network that was never started is late, and status writes no file", async (t) => {
  const { trigger, folder, path } = makeProject(t);
  const before = treeHash(folder);
  const { code, out } = await trigger(["status"]);
  assert.equal(code, 1);
  assert.equal(out.match(/no report here/g)?.length, 2);
  assert.equal(treeHash(folder), before);
  assert.equal(existsSync(path(".trigger")), false);
});

test("a project made by init runs as it is, and follows its directory", async (t) => {
  const { trigger, spawn, path, read, write } = makeProject(t);
  const made = await trigger(["init", "new"]);
  assert.deepEqual([made.code, made.err], [0, ""]);
  assert.match(made.out, /trigger up --all/);
  assert.deepEqual(JSON.parse(read("new/tsconfig.json") ?? "").include, ["trigger.config.ts", "services", "lib"]);
  assert.equal(existsSync(path("new/out")) || existsSync(path("new/.trigger")), false);
  const again = await trigger(["init", "new"]);
  assert.equal(again.code, 2);
  assert.match(again.err, /^trigger init: .*new is not empty: it holds directory\.ldif, /);
  mkdirSync(path("empty"));
  assert.equal((await trigger(["init", path("empty")])).code, 0);
  assert.equal((await trigger(["init", "services/note.ts"])).code, 2);

  const up = spawn(["up", "--all", "-p", path("new")]);
  await until(() => read("new/out/hosts")?.includes("192.0.2.10 printer"), { within: 60_000 });
  write("new/directory.ldif", (read("new/directory.ldif") ?? "").replace("192.0.2.10", "192.0.2.99"));
  await until(() => read("new/out/hosts")?.includes("192.0.2.99 printer"), { within: 60_000 });
  const { code, err } = await up.end("SIGTERM");
  assert.equal(code, 0);
  assert.equal(err, "trigger: SIGTERM: stopping (again to stop at once)\n");
});

test("status of a healthy network exits 0, with the same content in JSON", async (t) => {
  const { project } = await upProject(t);
  const { code, out } = await project.trigger(["status"]);
  assert.equal(code, 0);
  assert.match(out, /^HOST +SERVICE +ROWS +STORED +APPLIED +EQUAL +LAG +SERVING +PENDING +REFUSED +PARKED +STATE$/m);
  assert.match(out, /^box +names +2 +\S+ #\d+ +\S+ #\d+ +\S+ #\d+ +- +0 +0 +0 +well$/m);
  assert.match(out, /^civet +event +3 +active$/m);
  assert.doesNotMatch(out, /\u001b/);
  assert.match((await project.trigger(["status"], { colour: true })).out, /\u001b\[32mwell\u001b\[0m/);
  const { level, hosts } = JSON.parse((await project.trigger(["status", "--json"])).out);
  assert.equal(level, 0);
  const [box, civet] = hosts;
  assert.deepEqual([box.host, box.here, box.up, box.services.names.rows], ["box", true, true, 2]);
  assert.deepEqual([box.services.names.pending, box.services.note.form], [0, "plain"]);
  assert.deepEqual([civet.host, civet.transcriber.entries, civet.transcriber.complete], ["civet", 3, true]);
});

test("status and its exit code show failing, parked, refused and down services", async (t) => {
  const { project, up } = await upProject(t);
  const status = (): ReturnType<TestProject["trigger"]> => project.trigger(["status"]);

  await project.trigger(["send", "note", '{"n": 1, "fatal": "no route"}']);
  await until(async () => (await status()).out.includes("1 parked since"));
  const parked = await status();
  assert.equal(parked.code, 1);
  assert.match(parked.out, /^box note: parked message 1: no route$/m);

  project.write("directory.ldif", ldif([printer, { ...laptop, ip: "none" }]));
  const said = async (words: string) => (await status()).out.includes(words);
  await until(async () => (await said("its last good row is retained")) && (await said("civet: 1 refused")));
  const { out } = await status();
  assert.match(
    out,
    /^box names: cn=laptop,dc=campus,dc=example: .*\bip: .*\("none"\).*; its last good row is retained$/m,
  );
  assert.match(out, /^civet: 1 refused for names: `trigger try names` lists them$/m);
  assert.match(project.read("out/box/names") ?? "", /laptop 192\.0\.2\.11/);

  project.write("directory.ldif", "this is no LDIF\n");
  await until(async () => (await status()).code === 2);
  assert.match((await status()).out, /^civet +event .*the directory: .*directory\.ldif.*$/m);

  await up.end("SIGKILL");
  const down = await status();
  assert.equal(down.code, 2);
  assert.match(down.out, /^box +names .*down: its process is not running$/m);
});

test("a failing service shows its reason, and is well once the cause is gone", async (t) => {
  const { project } = await upProject(t);
  mkdirSync(project.path("elsewhere"));
  const names = (project.read("services/names.ts") ?? "").replace(
    "files: (rows",
    'check: ["test", "-e", "elsewhere/there"],\n  files: (rows',
  );
  const other = makeProject(t, { files: { "services/names.ts": names } });
  const up = other.spawn(["up", "--all"]);
  await until(async () => (await other.trigger(["status"])).out.includes("failing: "), { within: 60_000 });
  const { code, out } = await other.trigger(["status"]);
  assert.equal(code, 2);
  assert.match(out, /^box +names .* 2 +0 +0 +failing: the check of .*\/out\/box\/names failed/m);
  assert.equal(existsSync(other.path("out/box/names")), false);
  other.write("elsewhere/there", "");
  await other.trigger(["retry", "names"]);
  await well(other);
  assert.match(up.said(), /asked to retry/);
});

test("status never fails while a daemon starts, runs and is killed", async (t) => {
  const project = makeProject(t);
  const seen = new Set<number | null>();
  let asking = true;
  const asks = (async () => {
    for (; asking; await new Promise(setImmediate)) seen.add((await project.trigger(["status"])).code);
  })();
  const look = async () => {
    const { code, err } = await project.spawn(["status"]).ended;
    assert.equal(err, "");
    seen.add(code);
  };
  try {
    for (let times = 0; times < 3; times++) {
      const up = project.spawn(["up", "--all"]);
      await Promise.all([look(), until(() => project.read("out/box/names"), { within: 30_000 })]);
      assert.equal(up.over(), false, up.said());
      await up.end("SIGKILL");
    }
  } finally {
    asking = false;
    await asks;
  }
  for (const code of seen) assert.ok(code === 0 || code === 1 || code === 2);
});

test("messages for a host that is off are handled once after its start", async (t) => {
  const project = makeProject(t);
  for (const n of [1, 2, 3]) {
    const { code, out } = await project.trigger(["send", "note", `{"n": ${n}}`]);
    assert.deepEqual([code, out], [0, "sent to trigger-box-note\n"]);
  }
  const up = project.spawn(["up", "--all"]);
  await until(() => project.read("out/box/notes") === "1\n2\n3\n", { within: 60_000 });
  await up.end("SIGTERM");
  const again = project.spawn(["up", "--all"]);
  await well(project);
  await project.trigger(["send", "note", '{"n": 4}']);
  await until(() => project.read("out/box/notes") === "1\n2\n3\n4\n");
  await again.end("SIGTERM");
});

test("regen restores a file changed by hand, and status then shows nothing pending", async (t) => {
  const { project } = await upProject(t);
  const good = project.read("out/box/names");
  project.write("out/box/names", "by hand\n");
  const { code, out } = await project.trigger(["regen", "names", "--host", "box"]);
  assert.deepEqual([code, out], [0, "box: done: a full run is due\n"]);
  await until(() => project.read("out/box/names") === good);
  await well(project);
});

test("a fight over a file is held, and approve ends it", async (t) => {
  const { project, up } = await upProject(t);
  const good = project.read("out/box/names");
  for (let times = 1; times <= 3; times++) {
    project.write("out/box/names", `by hand ${times}\n`);
    await project.trigger(["regen", "names"]);
    const held = async () => (await project.trigger(["status"])).out.includes("held: ");
    await until(async () => (await held()) || project.read("out/box/names") === good);
  }
  const { code, out } = await project.trigger(["status"]);
  assert.equal(code, 1, `${out}${up.said()}`);
  assert.match(out, /^box +names .*held: /m);
  assert.equal(project.read("out/box/names"), "by hand 3\n");
  const [, digest = ""] = /`trigger approve names ([0-9a-f]{8})`/.exec(out) ?? [];
  await project.trigger(["approve", "names", digest]);
  await until(() => project.read("out/box/names") === good);
  await well(project);
});

test("try shows rows, refusals and their reasons", async (t) => {
  const { trigger, write, folder } = makeProject(t);
  const before = treeHash(folder);
  assert.deepEqual(await trigger(["try", "names"]), {
    code: 0,
    out: `cn=laptop,dc=campus,dc=example  {"ip":"192.0.2.11","name":"laptop"}
cn=printer,dc=campus,dc=example  {"ip":"192.0.2.10","name":"printer"}
2 rows, 0 refused\n`,
    err: "",
  });
  assert.equal(treeHash(folder), before);
  write("directory.ldif", ldif([printer, laptop, { name: "twin", ip: printer.ip }]));
  const { code, out } = await trigger(["try", "names"]);
  assert.equal(code, 1);
  assert.match(out, /^refused {2}cn=printer,.*: ip: "192\.0\.2\.10" is claimed by cn=printer,\S+ and cn=twin,\S+$/m);
  assert.match(out, /^1 rows?, 2 refused$/m);
  const one = await trigger(["try", "names", "--entry", "CN=Twin, DC=campus,dc=example"]);
  assert.equal(one.code, 1);
  assert.match(one.out, /^cn=twin,dc=campus,dc=example\n {2}refused: ip: /);
  const none = await trigger(["try", "names", "-e", "dc=campus,dc=example"]);
  assert.deepEqual([none.code, none.out], [0, "dc=campus,dc=example\n  no row\n  time does not change it\n"]);
});

test("try shows the attributes read and the next change by time, and masks secrets", async (t) => {
  const service = `import { service, z } from "trigger";
    export default service({
      row: z.object({ name: z.string(), password: z.string() }), secret: ["password"],
      select(machine, directory) {
        if (!machine.is("ipHost")) return;
        directory.parent(machine);
        if (directory.reached(new Date("2099-01-01T00:00:00Z"))) return;
        return { name: machine.name, password: "swordfish" };
      },
      async run() {},
    });`;
  const { trigger } = makeProject(t, { files: { "services/names.ts": service } });
  const { code, out } = await trigger(["try", "names", "-e", "cn=printer,dc=campus,dc=example"]);
  assert.equal(code, 0);
  assert.match(out, /{"name":"printer","password":"\*+"}/);
  assert.match(out, /^ {2}read .*dc=campus,dc=example/m);
  assert.match(out, /^ {2}it is computed again on 2099-01-01T00:00:00\.000Z$/m);
  assert.match((await trigger(["try", "names"])).out, /time changes a row on 2099-01-01T00:00:00\.000Z\n$/);
});

test("plan shows the changes that a new content would make, and writes nothing", async (t) => {
  const { trigger, write, folder } = makeProject(t);
  write(
    "new.ldif",
    ldif([
      { ...printer, ip: "192.0.2.99" },
      { name: "new", ip: "192.0.2.12" },
    ]),
  );
  write("same.ldif", ldif([laptop, printer]));
  const before = treeHash(folder);
  const { code, out } = await trigger(["plan", "new.ldif"]);
  assert.equal(code, 1, out);
  assert.match(out, /^names: 1 added, 1 changed, 1 removed, 0 newly refused\n\nbox: names\n/);
  assert.match(out, /^-laptop 192\.0\.2\.11\n/m);
  assert.match(out, /^\+new 192\.0\.2\.12$/m);
  const same = await trigger(["plan", "same.ldif"]);
  assert.deepEqual([same.code, same.out], [0, "names: 0 added, 0 changed, 0 removed, 0 newly refused\n"]);
  assert.equal(treeHash(folder), before);
});

test("plan applies change records; a rename is one change with an entryUUID, two without", async (t) => {
  const uuid = "00000000-0000-4000-8000-000000000001";
  const known = { name: "known", ip: "192.0.2.20", uuid };
  const { trigger, write, folder } = makeProject(t, { files: { "directory.ldif": ldif([printer, known]) } });
  const rename = (name: string): string =>
    `version: 1\n\ndn: cn=${name},dc=campus,dc=example\nchangetype: modrdn\nnewrdn: cn=${name}2\ndeleteoldrdn: 1\n`;
  write("known.ldif", rename("known"));
  write("printer.ldif", rename("printer"));
  write("refused.ldif", "version: 1\n\ndn: cn=none,dc=campus,dc=example\nchangetype: delete\n");
  write("bad.ldif", record(printer).trimStart().replace("ipHostNumber:", "ipHostNumber"));
  write(
    "twin.ldif",
    `${record({ name: "twin", ip: printer.ip }).replace("objectClass", "changetype: add\nobjectClass")}`,
  );
  const before = treeHash(folder);
  assert.match((await trigger(["plan", "known.ldif"])).out, /^names: 0 added, 1 changed, 0 removed/);
  assert.match((await trigger(["plan", "printer.ldif"])).out, /^names: 1 added, 0 changed, 1 removed/);
  const refused = await trigger(["plan", "refused.ldif"]);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /^trigger plan: .*refused\.ldif.*3.*noSuchObject/);
  const bad = await trigger(["plan", "bad.ldif"]);
  assert.equal(bad.code, 2);
  assert.match(bad.err, /^trigger plan: .*bad\.ldif.*5/);
  const twin = await trigger(["plan", "twin.ldif"]);
  assert.equal(twin.code, 1);
  assert.match(twin.out, /^names: 0 added, 0 changed, 0 removed, 2 newly refused$/m);
  assert.match(twin.out, /^ {2}would be refused: cn=twin,.* is claimed by/m);
  assert.equal(treeHash(folder), before);
});

test("plan shows commands and failures, but no file of a service with secrets", async (t) => {
  const of = (fields: string) => `import { files, Hostname, z } from "trigger";
    export default files({
      row: z.object({ name: Hostname }), select: (host) => (host.is("ipHost") ? { name: host.name } : undefined), ${fields}
    });`;
  const text = 'text: [...rows].map((row) => row.name).join(" ")';
  const { trigger, write } = makeProject(t, {
    hosts: { box: ["names", "hidden", "broken"], civet: ["event"] },
    files: {
      "services/names.ts": of(`reload: ["reloadd", "--now"], files: (rows) => ({ path: "/etc/names", ${text} })`),
      "services/hidden.ts": of(`secret: ["name"], files: (rows) => ({ path: "/etc/hidden", ${text} })`),
      "services/broken.ts": of(`files: (rows) => { if (rows.size > 2) throw new Error("no room"); return []; }`),
    },
  });
  write("new.ldif", ldif([printer, laptop, { name: "swordfish", ip: "192.0.2.12" }]));
  const { code, out } = await trigger(["plan", "new.ldif"]);
  assert.equal(code, 2);
  const [, broken = "", hidden = "", names = ""] = out.split(/^box: /m);
  assert.match(broken, /^broken\nwould fail: no room\n/);
  assert.match(hidden, /^hidden\n\/etc\/hidden would change; it has secrets and is not shown\n/);
  assert.doesNotMatch(hidden, /swordfish/);
  assert.match(names, /^\+.*swordfish/m);
  assert.match(names, /^would run: reloadd --now$/m);
});

test("a host imports its own services alone, a transcriber those of all hosts", async (t) => {
  const bad = `throw new Error("it was imported");`;
  const project = makeProject(t, {
    hosts: { box: ["note"], other: ["names"], civet: ["event"] },
    files: { "services/names.ts": bad, "services/unused.ts": bad },
  });
  const box = project.spawn(["up", "--host", "box"]);
  await project.trigger(["send", "note", '{"n": 1}']);
  await until(() => project.read("out/box/notes") === "1\n", { within: 60_000 });
  assert.equal((await box.end("SIGTERM")).code, 0);
  const civet = await project.spawn(["up", "--host", "civet"]).ended;
  assert.equal(civet.code, 2);
  assert.match(civet.err, /^trigger up: .*services\/names\.ts: it was imported \(.*names\.ts:1\)\n$/);
});

test("the broker's password in the environment reaches no command", async (t) => {
  const project = makeProject(t, {
    hosts: { box: ["names"], civet: ["event"] },
    files: { "services/names.ts": names('check: ["sh", "-c", "env > checked"],') },
  });
  const up = project.spawn(["up", "--all"], { env: { ...process.env, TRIGGER_BROKER_PASSWORD: "hunter2", KEPT: "1" } });
  await until(() => project.read("out/box/names") !== undefined, { within: 60_000 }).catch((error) => {
    throw new Error(`${error.message}\n${up.said()}`);
  });
  const environment = project.read("checked") ?? "";
  assert.match(environment, /^KEPT=1$/m);
  assert.doesNotMatch(environment, /hunter2|TRIGGER_BROKER_PASSWORD/);
});
