import assert from "node:assert/strict";
import { test } from "node:test";
import { ldif, makeProject, printer } from "../project.ts";
import { startRabbit } from "../servers/rabbitmq.ts";
import { until } from "../until.ts";
import { configText, machines } from "./machines.fixture.ts";

const hosts = { civet: ["event"], genet: ["event"], box: ["names"] };
const patience = { within: 60_000 };

test("on each transcriber's machine status names the active transcriber, or says there is none", {
  timeout: 240_000,
}, async (t) => {
  await using server = await startRabbit();
  const broker = { url: server.url, heartbeat: 1 };
  const files = { "trigger.config.ts": configText({ broker, directory: { ldif: "directory.ldif" }, hosts }) };
  const folders = new Map(Object.keys(hosts).map((host) => [host, makeProject(t, { files })]));
  const folderOf = (host: string) => folders.get(host) ?? assert.fail(host);
  const world = machines(folderOf);

  /** The column STATE of a transcriber in `trigger status`, on a machine. */
  async function state(machine: string, host: string): Promise<string> {
    const { out } = await world.trigger(machine, ["status"]);
    const line = out.split("\n").find((line) => line.startsWith(`${host} `)) ?? "";
    return line.replace(/^\w+ +(event +\d* *)?/, "").trim();
  }
  const says = (machine: string, host: string, said: string): Promise<void> =>
    until(async () => (await state(machine, host)) === said, patience).catch(async (error) => {
      const found = await state(machine, host);
      throw new Error(`${machine} says of ${host}: ${found}, not: ${said}\n${world.said()}`, { cause: error });
    });

  world.start("civet");
  await says("civet", "civet", "active");
  for (const host of ["genet", "box"]) world.start(host);
  for (const machine of ["civet", "genet"]) {
    await says(machine, "civet", "active");
    await says(machine, "genet", "standby");
  }
  await until(async () => (await world.trigger("genet", ["status"])).code === 0, patience);
  assert.equal(JSON.parse((await world.trigger("genet", ["status", "--json"])).out).active, "civet");

  const { code, out } = await world.trigger("genet", ["verify"]);
  assert.equal(code, 0, out);
  assert.match(out, /^civet: the directory: equal$/m);
  assert.match(out, /^genet: the directory: equal, 3 entries$/m);
  assert.match(out, /^box names: the daemon: the same$/m);

  await world.end("civet", "SIGKILL");
  await says("genet", "genet", "active");
  assert.equal(await state("genet", "civet"), "superseded by genet");

  world.start("civet");
  for (const machine of ["civet", "genet"]) {
    await says(machine, "civet", "standby");
    await says(machine, "genet", "active");
  }

  // A transcriber that cannot take over, because it has read nothing, while the active one dies.
  await world.end("civet", "SIGTERM");
  folderOf("civet").write("directory.ldif", "no ldif");
  world.start("civet");
  const failing = /^the directory: .*directory\.ldif/;
  await until(async () => failing.test(await state("civet", "civet")), patience);
  await says("civet", "genet", "active");
  await world.end("genet", "SIGKILL");
  await until(async () => (await state("civet", "civet")).includes(" no transcriber is active; "), patience);
  assert.match(await state("civet", "genet"), /^was active; no report since [\d:]+$/);
  folderOf("civet").write("directory.ldif", ldif([printer]));
  await says("civet", "civet", "active");
});
