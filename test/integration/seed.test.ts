import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { sqliteBroker } from "../../src/brokers/sqlite/broker.ts";
import { eventQueuesOf, readConfig } from "../../src/core/config/config.ts";
import { readEvent } from "../../src/core/directory/event.ts";
import { systemClock } from "../../src/daemon/clock.ts";
import { seed } from "../../src/directories/events/seed.ts";
import { eventDirectory, readEventContent } from "../../src/directories/events/source.ts";
import { openDatabase } from "../../src/sqlite/open.ts";
import { laptop, ldif, makeProject, printer, type TestProject } from "../project.ts";
import { until } from "../until.ts";

// Events as the truth, on real files and in real processes, by the command line.

const hosts = { box: ["names"], civet: ["event"] };
const machine = (name: string, ip: string) => ({
  entryDN: [`cn=${name},dc=campus,dc=example`],
  objectClass: ["device", "ipHost"],
  cn: [name],
  ipHostNumber: [ip],
});

function eventProject(t: TestContext, more: object = {}): TestProject {
  const config = `export default ${JSON.stringify({ hosts, ...more })};\n`;
  return makeProject(t, { files: { "trigger.config.ts": config } });
}

const send = async (project: TestProject, ...event: unknown[]): Promise<void> => {
  const { code, err } = await project.trigger(["send", "event", JSON.stringify(event)]);
  assert.equal(code, 0, err);
};

test("a project without a directory waits for a seed, then follows events", async (t) => {
  const project = eventProject(t);
  const early = await project.trigger(["try", "names"]);
  assert.match(early.err, /directory\.db: .* was never seeded: `trigger seed FILE\.ldif`/);
  const up = project.spawn(["up", "--all"]);
  const status = async () => (await project.trigger(["status"])).out;
  await until(async () => /the directory: .*`trigger seed FILE\.ldif`/.test(await status()));
  assert.equal((await project.trigger(["status"])).code, 2);
  await send(project, "h1", machine("laptop", "192.0.2.11"), machine("laptop", "192.0.2.99"), null);

  const { code, out, err } = await project.trigger(["seed", "directory.ldif"]);
  assert.equal(code, 0, err);
  assert.match(out, /civet\/directory\.db is seeded: 3 entries/);
  await until(() => project.read("out/box/names") === "laptop 192.0.2.99\nprinter 192.0.2.10\n");
  await send(project, "h2", machine("printer", "192.0.2.10"), null, { who: "alice" });
  await until(() => project.read("out/box/names") === "laptop 192.0.2.99\n");
  await until(async () => (await project.trigger(["status"])).code === 0);
  assert.match((await project.trigger(["try", "names"])).out, /192\.0\.2\.99/);
  const planned = await project.trigger(["plan", "directory.ldif"]);
  assert.match(planned.out, /^names: 1 added, 1 changed, 0 removed/);

  await send(project, "no event", null, { cn: ["x"] }, null);
  await until(async () => (await status()).includes("1 unreadable event set aside"));
  assert.match(await status(), /the newest message that was set aside: not an event: it has no entryDN/);

  await up.end("SIGTERM");
  rmSync(project.path(".trigger/civet/directory.db"));
  const again = project.spawn(["up", "--all"]);
  await until(async () => /the directory: .*its store was lost/.test(await status()));
  await again.end("SIGTERM");
  assert.equal(project.read("out/box/names"), "laptop 192.0.2.99\n");

  const seeded = await project.trigger(["seed", "directory.ldif", "--exported", "2026-01-01"]);
  assert.match(seeded.out, /3 entries\nthe journal has events from .* on: if there were others since 2026-01-01T/);
  const last = project.spawn(["up", "--all"]);
  await until(() => project.read("out/box/names") === "laptop 192.0.2.11\nprinter 192.0.2.10\n");
  await last.end("SIGTERM");
});

test("seed needs a config without a directory, and reads a whole LDIF file", async (t) => {
  const named = makeProject(t, { hosts });
  const refused = await named.trigger(["seed", "directory.ldif"]);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /names a directory, which trigger reads: there is nothing to seed/);

  const project = eventProject(t);
  project.write("broken.ldif", `${ldif([printer])}\nnot ldif\n`);
  project.write("old.ldif", ldif([laptop]));
  utimesSync(project.path("old.ldif"), 0, 0);
  assert.match((await project.trigger(["seed", "broken.ldif"])).err, /broken\.ldif:13: /);
  assert.match((await project.trigger(["seed", "none.ldif"])).err, /ENOENT/);
  assert.match(
    (await project.trigger(["seed", "old.ldif", "--exported", "soon"])).err,
    /--exported: "soon" is not a date/,
  );
  assert.match((await project.trigger(["try", "names"])).err, /never seeded/);
  assert.match((await project.trigger(["seed", "old.ldif"])).out, /2 entries\nthe journal has events from/);
});

test("two event hosts without a directory are an error that names both", async (t) => {
  const project = eventProject(t, { hosts: { civet: ["event"], genet: ["event"] } });
  const { code, err } = await project.trigger(["status"]);
  assert.equal(code, 2);
  assert.match(err, /only one host may run "event": civet and genet do/);
});

test("an event stored but unacknowledged at kill -9 is redelivered and applied once", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "trigger-events-"));
  const [brokerFile, directoryFile] = [join(folder, "broker.db"), join(folder, "directory.db")];
  const broker = await sqliteBroker(brokerFile, { log: () => {} });
  const database = openDatabase(directoryFile);
  t.after(async () => {
    await broker.close();
    database.close();
    rmSync(folder, { recursive: true });
  });
  const directory = eventDirectory({ database, clock: systemClock });
  seed(database, [], Date.now(), Date.now());
  await broker.declare(eventQueuesOf(readConfig({ hosts: { civet: ["event"] } }, "config")));
  const said = ["1", "2", "3"].map((ip) => [`to ${ip}`, machine("a", "0"), machine("a", ip), null]);
  for (const event of said) await broker.publish("trigger.event", JSON.stringify(event));

  const fixture = join(import.meta.dirname, "kill-before-ack.fixture.ts");
  const child = spawn(process.execPath, [fixture, brokerFile, directoryFile], { stdio: "inherit" });
  assert.deepEqual(await once(child, "exit"), [null, "SIGKILL"]);
  const count = () => database.prepare("SELECT count(*) AS events FROM event").get()?.events;
  const ip = () => readEventContent(database)?.[0]?.attributes.get("iphostnumber")?.[0];
  const stored = ip();
  assert.ok(stored !== undefined, "something was stored before the kill");

  const again: { redelivered: boolean; ip: unknown }[] = [];
  const consumer = await broker.consume(
    "trigger-civet-event",
    async ({ body, redelivered, ack }) => {
      const event = readEvent(JSON.parse(Buffer.from(body).toString()));
      await directory.take([{ event, body }], new AbortController().signal);
      again.push({ redelivered, ip: ip() });
      ack();
    },
    { prefetch: 1 },
  );
  await until(() => again.length === said.length);
  await consumer.close();
  assert.deepEqual(again[0], { redelivered: true, ip: stored }, "the first came again, and took nothing back");
  assert.deepEqual([ip(), count()], ["3", said.length]);
});
