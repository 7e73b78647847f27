import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { sayHold } from "../../src/host/store/retained.ts";
import { laptop, ldif, makeProject, printer } from "../project.ts";
import { until } from "../until.ts";
import { daemon, shared } from "./shared-daemon.fixture.ts";

async function upProject(
  t: TestContext,
  files: Record<string, string> = {},
  hosts = { box: ["dns"], civet: ["event"] },
) {
  const project = makeProject(t, { hosts, files: { "services/dns.ts": shared, ...files } });
  const up = project.spawn(["up", "--all"]);
  const serves = (lines: string[]) =>
    until(async () => daemon(project).join() === lines.join(), { within: 60_000 }).catch((error) => {
      throw new Error(`${error.message}\n${daemon(project).join("\n")}\n${up.said()}`);
    });
  const order = async (...words: string[]) => {
    const { code, err } = await project.trigger(words);
    assert.deepEqual([code, err], [0, ""]);
  };
  return { ...project, project, up, serves, order };
}

test("diff shows a hand edit in a daemon; regen repairs it beside foreign records", async (t) => {
  const { project, trigger, write, serves, order } = await upProject(t, { "out/box/daemon": "theirs 192.0.2.99\n" });
  await serves(["laptop 192.0.2.11", "printer 192.0.2.10", "theirs 192.0.2.99"]);
  await until(async () => (await trigger(["status"])).code === 0);
  const same = await trigger(["diff", "dns"]);
  assert.deepEqual(
    [same.code, same.out, same.err],
    [0, 'box dns: the same\n  foreign  {"ip":"192.0.2.99","name":"theirs"}\n', ""],
  );
  write("out/box/daemon", "laptop 192.0.2.77\ntheirs 192.0.2.99\n");
  const drift = await trigger(["diff", "dns"]);
  assert.equal(drift.code, 1);
  assert.match(drift.out, /^box dns: differs\n {2}missing {2}\{"ip":"192\.0\.2\.10","name":"printer"\}\n/);
  assert.match(drift.out, /differs {2}laptop: \{"ip":"192\.0\.2\.77"\}, expected \{"ip":"192\.0\.2\.11"\}/);
  assert.deepEqual(daemon(project), ["laptop 192.0.2.77", "theirs 192.0.2.99"]);
  await order("regen", "dns");
  await serves(["laptop 192.0.2.11", "printer 192.0.2.10", "theirs 192.0.2.99"]);
  assert.equal(JSON.parse((await trigger(["diff", "dns", "--json"])).out).box.observed.missing.length, 0);
});

test("a foreign record changes only by adoption, and without a row, by --remove", async (t) => {
  const there = "laptop 192.0.2.77\ntheirs 192.0.2.99\n";
  const { trigger, serves, order } = await upProject(t, { "out/box/daemon": there });
  await serves(["laptop 192.0.2.77", "printer 192.0.2.10", "theirs 192.0.2.99"]);
  const why = 'laptop has "192.0.2.77" there, which trigger did not write';
  await until(async () => (await trigger(["status"])).out.includes(why));
  const [{ services }] = JSON.parse((await trigger(["status", "--json"])).out).hosts;
  assert.deepEqual([services.dns.refused[0].by, services.dns.heldCount], ["conflict", 1]);
  assert.equal((await trigger(["status"])).code, 1, "it waits for a person");
  const refused = await trigger(["adopt", "dns", "theirs"]);
  assert.equal(refused.code, 1);
  assert.match(
    refused.out,
    /^box: refused: theirs is left alone: no row has it, .*`trigger adopt --remove` does that\n$/,
  );
  await order("adopt", "dns", "laptop");
  await serves(["laptop 192.0.2.11", "printer 192.0.2.10", "theirs 192.0.2.99"]);
  await until(async () => (await trigger(["status"])).code === 0);
  await order("adopt", "dns", "theirs", "--remove");
  await serves(["laptop 192.0.2.11", "printer 192.0.2.10"]);
});

test("a daemon that is away is asked until it answers, then gets every row", async (t) => {
  const { trigger, write, serves, path } = await upProject(t, { "out/box/daemon": "" });
  await serves(["laptop 192.0.2.11", "printer 192.0.2.10"]);
  write("out/box/away", "");
  write("out/box/daemon", "");
  write("directory.ldif", ldif([printer, { ...laptop, ip: "192.0.2.12" }]));
  await until(async () => (await trigger(["status"])).out.includes("the daemon is away"));
  const unanswered = await trigger(["diff", "dns"]);
  assert.deepEqual([unanswered.code, unanswered.err], [2, ""]);
  assert.match(unanswered.out, /^box dns: could not be compared: the daemon is away/);
  rmSync(path("out/box/away"));
  await serves(["laptop 192.0.2.12", "printer 192.0.2.10"]);
});

test("a foreign file is held: diff shows its replacement, approve allows it", async (t) => {
  const hosts = { box: ["names"], civet: ["event"] };
  const { read, write, trigger, order } = await upProject(t, { "out/box/names": "by hand 1\n" }, hosts);
  await until(async () => (await trigger(["status"])).out.includes("names exists, but trigger did not write it"), {
    within: 60_000,
  });
  const { code, out } = await trigger(["diff", "names"]);
  assert.equal(code, 1);
  assert.match(out, /-by hand 1\n(\+.*\n)*\+printer 192\.0\.2\.10/);
  assert.equal(read("out/box/names"), "by hand 1\n");
  const [, shown = ""] = /`trigger approve names ([0-9a-f]{8})` lets trigger replace the things there/.exec(out) ?? [];
  assert.match((await trigger(["status"])).out, new RegExp(`trigger approve names ${shown}`));
  const without = await trigger(["approve", "names"]);
  assert.deepEqual([without.code, without.err], [1, ""]);
  assert.match(without.out, new RegExp(`^box: done: .*still wait: \`trigger approve names ${shown}\`$`, "m"));
  write("out/box/names", "by hand 2\n");
  await trigger(["approve", "names", shown]); // done, or refused where the host has found it moved by then
  let digest: string | undefined;
  await until(
    async () => {
      digest = /trigger approve names ([0-9a-f]{8})/.exec((await trigger(["status"])).out)?.[1];
      return digest !== undefined && digest !== shown;
    },
    { within: 60_000 },
  );
  assert.equal(read("out/box/names"), "by hand 2\n", "what has moved is shown again");
  await order("approve", "names", digest ?? "");
  await until(async () => read("out/box/names")?.includes("printer 192.0.2.10") === true, { within: 60_000 });
  await until(async () => (await trigger(["status"])).code === 0);
  assert.equal((await trigger(["diff", "names"])).out, "box names: the same\n");
});

test("diff shows the pending changes of a held service, row by row", async (t) => {
  const { trigger, write, serves, order } = await upProject(t, { "out/box/daemon": "" });
  await serves(["laptop 192.0.2.11", "printer 192.0.2.10"]);
  await until(async () => (await trigger(["status"])).code === 0);
  await order("hold", "dns");
  const held = `held: ${sayHold({ by: "person", detail: "" })}`;
  await until(async () => (await trigger(["status"])).out.includes(held));
  write(
    "directory.ldif",
    ldif([
      { ...laptop, ip: "192.0.2.12" },
      { name: "new", ip: "192.0.2.13" },
    ]),
  );
  const isPending = (line: string): boolean => / 3 +0 +0 +held: /.test(line) && line.includes(held);
  await until(async () => (await trigger(["status"])).out.split("\n").some(isPending));
  const { out } = await trigger(["diff", "dns"]);
  assert.deepEqual(out.match(/^ {2}pending .*$/gm), [
    '  pending  {"ip":"192.0.2.11","name":"laptop"} would become {"ip":"192.0.2.12","name":"laptop"}',
    '  pending  {"ip":"192.0.2.13","name":"new"} would be added',
    '  pending  {"ip":"192.0.2.10","name":"printer"} would be removed',
  ]);
});

test("a killed diff leaves files in the state folder only, until the next command", async (t) => {
  const { project, trigger, write, path, serves, up } = await upProject(t, { "out/box/daemon": "" });
  await serves(["laptop 192.0.2.11", "printer 192.0.2.10"]);
  await until(async () => (await trigger(["status"])).code === 0);
  const copies = (): string[] => readdirSync(path(".trigger/box/copies"), { recursive: true, encoding: "utf8" });
  mkdirSync(path("tmp"));
  const killed = async (): Promise<void> => {
    write("out/box/stuck", "");
    rmSync(path("out/box/asked"), { force: true });
    const stuck = project.spawn(["diff", "dns"], { env: { ...process.env, TMPDIR: path("tmp") } });
    await until(() => existsSync(path("out/box/asked")), { within: 60_000 }).catch((error) => {
      throw new Error(`${error.message}\n${stuck.said()}`);
    });
    await stuck.end("SIGKILL");
    rmSync(path("out/box/stuck"));
    assert.ok(copies().some((name) => name.endsWith("/store.db")));
  };
  await killed();
  assert.deepEqual(readdirSync(path("tmp")), []);
  assert.equal((await trigger(["diff", "dns"])).code, 0);
  assert.deepEqual(copies(), []);
  await killed();
  await up.end("SIGKILL");
  write(".trigger/box/scratch/1/zone", "what a check was to see");
  project.spawn(["up", "--all"]);
  await until(() => copies().length === 0 && !existsSync(path(".trigger/box/scratch")), { within: 60_000 });
});

test("diff names a service that it cannot compare", async (t) => {
  const { trigger } = makeProject(t);
  assert.match((await trigger(["diff", "names"])).err, /none of the hosts of names is on this machine: box/);
  assert.match((await trigger(["diff", "nmes"])).err, /did you mean "names"/);
});

test("an emptied directory removes no row before the digest of the removals is approved", async (t) => {
  const many = Array.from({ length: 60 }, (_, i) => ({ name: `m${i}`, ip: `192.0.2.${i + 1}` }));
  const hosts = { box: ["names"], civet: ["event"] };
  const { read, trigger, order, write } = await upProject(t, { "directory.ldif": ldif(many) }, hosts);
  const lines = () => (read("out/box/names") ?? "").split("\n").filter(Boolean).length;
  await until(() => lines() === 60, { within: 60_000 });
  write("directory.ldif", ldif([{ name: "new", ip: "192.0.2.200" }]));
  await until(() => lines() === 61, { within: 60_000 });
  const status = await trigger(["status"]);
  assert.equal(status.code, 1);
  assert.match(status.out, /held: 60 rows would be removed/);
  const { out } = await trigger(["diff", "names"]);
  const [, digest = ""] =
    /60 rows would be removed: `trigger approve names ([0-9a-f]{8})` allows it\n {2}held {5}\{/.exec(out) ?? [];
  const heldBy = async (): Promise<string | undefined> =>
    JSON.parse((await trigger(["status", "--json"])).out).hosts[0].services.names.heldBy;
  await order("hold", "names", "the cabling is being changed");
  await until(async () => (await heldBy()) === "person");
  const wrong = await trigger(["approve", "names", "00000000"]);
  assert.deepEqual([wrong.code, wrong.err], [1, ""]);
  assert.equal(
    wrong.out,
    `box: refused: nothing waits under 00000000; 60 removals still wait: \`trigger approve names ${digest}\`\n`,
  );
  const without = await trigger(["approve", "names"]);
  assert.deepEqual([without.code, without.err], [1, ""]);
  assert.equal(without.out, `box: done: it goes on; 60 removals still wait: \`trigger approve names ${digest}\`\n`);
  await until(async () => (await heldBy()) === undefined);
  await order("hold", "names");
  await until(async () => (await heldBy()) === "person");
  await order("approve", "names", digest);
  await until(async () => !(await trigger(["status", "--json"])).out.includes('"removals":'));
  assert.equal(lines(), 61, "a digest ends no hold by a person");
  await order("approve", "names");
  await until(() => lines() === 1, { within: 60_000 });
  await until(async () => (await trigger(["status"])).code === 0);
});
