import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { rabbitBroker } from "../../src/brokers/rabbitmq/broker.ts";
import { sqliteBroker } from "../../src/brokers/sqlite/broker.ts";
import { serviceKey } from "../../src/core/stream/routing.ts";
import { systemClock } from "../../src/daemon/clock.ts";
import { openSigner } from "../../src/daemon/keys.ts";
import { memoryHub } from "../../src/testing/memory-broker.ts";
import { signingContract } from "../contracts/signing.ts";
import { laptop, ldif, makeProject, printer, type TestProject } from "../project.ts";
import { startRabbit } from "../servers/rabbitmq.ts";
import { until } from "../until.ts";
import { configText, machines } from "./machines.fixture.ts";

const within = 120_000;
const signing = { key: "own/sign.key", trust: ["trust"] };
const hosts = { civet: ["event"], box: ["names"] };

signingContract("memory", async () => {
  const hub = memoryHub();
  return { connect: async () => hub.connect(), async [Symbol.asyncDispose]() {} };
});

signingContract("sqlite", async () => {
  const folder = mkdtempSync(join(tmpdir(), "trigger-signing-"));
  return {
    connect: () => sqliteBroker(join(folder, "broker.db"), { log() {} }),
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
  };
});

/** Makes a key by the command line, and gives its public one. */
async function newKey(project: TestProject, file: string): Promise<string> {
  project.write("own/.keep", "");
  const { code, out, err } = await project.trigger(["key", file]);
  assert.equal(code, 0, err);
  return out.trim();
}

test("forged rows over RabbitMQ are refused, and the transcriber's status shows them", {
  timeout: 280_000,
}, async (t) => {
  await using server = await startRabbit();
  const broker = { url: server.url, queues: "classic" };
  const config = configText({ broker, directory: { ldif: "directory.ldif" }, hosts, signing });
  const projectOf = () => makeProject(t, { files: { "trigger.config.ts": config } });
  const folders: Record<string, TestProject> = { civet: projectOf(), box: projectOf() };
  const folderOf = (host: string) => folders[host] ?? assert.fail();
  const trusted = await newKey(folderOf("civet"), "own/sign.key");
  for (const host of Object.keys(hosts)) folderOf(host).write("trust", `${trusted}\n`);
  const all = machines(folderOf);
  for (const host of Object.keys(hosts)) all.start(host);
  const served = () => all.lines("box", "names");
  const shown = ["laptop 192.0.2.11", "printer 192.0.2.10"];
  await until(() => served().length === 2, { within }).catch((error) => assert.fail(`${error}\n${all.said()}`));

  const stranger = await rabbitBroker({ url: server.url, clock: systemClock, log() {} });
  t.after(() => stranger.close());
  const own = await newKey(folderOf("box"), "own/stranger.key");
  const place = (await all.own("box")).services.names?.stored;
  const forged = JSON.stringify({
    ...{ trigger: 1, service: "names", epoch: (place?.epoch ?? 0) + 1_000_000, seq: 1 },
    ...{ asOf: { state: [], clock: 0 }, kind: "rows", piece: 0, more: false },
    rows: [["evil", '{"ip":"192.0.2.66","name":"evil"}']],
  });
  const strangers = { key: "own/stranger.key", trust: [own] };
  const sign = openSigner({ folder: folderOf("box").folder, config: { signing: strangers } }, () => {});
  for (const body of [forged, sign?.(forged) ?? ""]) await stranger.publish(serviceKey("names"), body);

  const status = () => folderOf("civet").trigger(["status"]);
  await until(async () => / 2 untrusted messages rejected/.test((await status()).out), { within });
  const { code, out } = await status();
  assert.equal(code, 1);
  assert.match(out, /^box names: untrusted messages rejected: 2, .*: it names the key [0-9a-f]{16}, which is not/m);
  folderOf("civet").write("directory.ldif", ldif([printer, laptop, { name: "tablet", ip: "192.0.2.12" }]));
  await until(() => served().length === 3, { within });
  assert.deepEqual(served().sort(), [...shown, "tablet 192.0.2.12"]);
});

test("keys are changed by the steps of the help without restart or lost change", {
  timeout: 280_000,
}, async (t) => {
  const config = configText({ directory: { ldif: "directory.ldif" }, hosts, signing });
  const project = makeProject(t, { files: { "trigger.config.ts": config } });
  const first = await newKey(project, "own/sign.key");
  project.write("trust", `${first}\n`);
  const up = project.spawn(["up", "--all"]);
  let edits = 0;
  const edit = async (): Promise<void> => {
    edits += 1;
    project.write("directory.ldif", ldif([printer, { name: `m${edits}`, ip: `192.0.2.${100 + edits}` }]));
    await until(() => project.read("out/box/names")?.includes(`m${edits} `), { within }).catch((error) =>
      assert.fail(`${error}\n${up.said()}`),
    );
  };
  const signer = async (): Promise<string> => {
    const { out } = await project.trigger(["key", "own/sign.key"]);
    return out.trim();
  };
  await edit();
  for (const round of [1, 2]) {
    const old = await signer();
    const next = await newKey(project, `own/next${round}.key`);
    project.write("trust", `${old}\n${next}\n`);
    const meanwhile = edit();
    renameSync(project.path(`own/next${round}.key`), project.path("own/sign.key"));
    await meanwhile;
    assert.equal(await signer(), next);
    const { code, out, err } = await project.trigger(["verify"]);
    assert.equal(code, 0, `${out}${err}`);
    project.write("trust", `${next}\n`);
    await edit();
  }
  const status = async () => (await project.trigger(["status"])).out;
  await until(async () => (await project.trigger(["status"])).code === 0, { within });
  assert.doesNotMatch(`${await status()}${up.said()}`, /refused:|still used/);
});

test("a transcriber with a missing, untrusted or readable key ends with one line", async (t) => {
  await failing(t, {}, /^trigger up: signing\.key: ENOENT.*own\/sign\.key/);
  const stranger = "A".repeat(43);
  await failing(t, { key: true, trust: `${stranger}=` }, /signing\.key: no host would accept a row/);
  await failing(t, { key: true, trust: "nonsense" }, /signing\.trust: .*trust:1: a public key is 44 characters/);
});

async function failing(t: TestContext, made: { key?: boolean; trust?: string }, why: RegExp): Promise<void> {
  const config = configText({ directory: { ldif: "directory.ldif" }, hosts, signing });
  const project = makeProject(t, { files: { "trigger.config.ts": config } });
  const own = made.key ? await newKey(project, "own/sign.key") : `${"A".repeat(43)}=`;
  project.write("trust", `${made.trust ?? own}\n`);
  const { code, err } = await project.spawn(["up", "--host", "civet"]).ended;
  assert.equal(code, 2, err);
  assert.match(err, why);
  assert.doesNotMatch(err, /PRIVATE|\n {4}at /);
}
