import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { type AnswerMessage, orderMessage } from "../../src/core/stream/order.ts";
import type { ReportMessage, ServiceReport } from "../../src/core/stream/report.ts";
import { queueOf } from "../../src/core/stream/routing.ts";
import { connectBroker } from "../../src/daemon/broker.ts";
import type { Delivery } from "../../src/ports/broker.ts";
import { openProject } from "../../src/project/project.ts";
import { makeProject } from "../project.ts";
import { startRabbit } from "../servers/rabbitmq.ts";
import { until } from "../until.ts";
import { configText, machines } from "./machines.fixture.ts";
import { shared } from "./shared-daemon.fixture.ts";

test("verify finds and repairs a wrong row in a host's store", async (t) => {
  const project = makeProject(t);
  project.spawn(["up", "--all"]);
  await until(() => project.read("out/box/names")?.includes("printer 192.0.2.10"), { within: 20_000 });
  const good = project.read("out/box/names");
  const store = new DatabaseSync(project.path(".trigger/box/store.db"), { timeout: 5000 });
  store.exec("UPDATE row SET desired = replace(desired, '192.0.2.10', '192.0.2.66')");
  store.close();
  const { code, out, err } = await project.trigger(["verify"]);
  assert.equal(code, 1, out + err);
  assert.match(out, /^civet: the directory: equal, 3 entries$/m);
  assert.match(out, /^box names: the rows: differed; repaired: equal as of epoch \d+, change \d+; 2 rows/m);
  assert.match(out, /^box names: the daemon: the same$/m);
  await until(() => project.read("out/box/names") === good);
  const again = await project.trigger(["verify"]);
  assert.equal(again.code, 0, again.out + again.err);
  assert.match(
    again.out,
    /^box names: the rows: equal as of epoch \d+, change \d+; 2 rows applied, 0 pending, 0 refused$/m,
  );
});

test("verify reports a daemon that differs, names the command for it, and changes nothing", async (t) => {
  const project = makeProject(t, {
    hosts: { box: ["names", "dns"], civet: ["event"] },
    files: { "services/dns.ts": shared },
  });
  project.spawn(["up", "--all"]);
  await until(async () => (await project.trigger(["status"])).code === 0, { within: 30_000 });
  project.write("out/box/daemon", "laptop 192.0.2.11\n");
  const { code, out } = await project.trigger(["verify"]);
  assert.equal(code, 1, out);
  assert.match(out, /^box dns: the rows: equal as of/m);
  assert.match(
    out,
    /^box dns: the daemon: differs \(1 missing, 1 in files\): `trigger diff dns` on box shows the differences$/m,
  );
  assert.match(out, /^box names: the daemon: the same$/m);
  assert.equal(project.read("out/box/daemon"), "laptop 192.0.2.11\n");
});

test("a host that is down is named at once, and others are compared", async (t) => {
  const project = makeProject(t, { hosts: { box: ["names"], lynx: ["names"], civet: ["event"] } });
  const up = project.spawn(["up", "--all"]);
  await until(async () => (await project.trigger(["status"])).code === 0, { within: 30_000 });
  await up.end("SIGTERM");
  for (const host of ["civet", "lynx"]) project.spawn(["up", "--host", host]);
  const isUp = async (): Promise<boolean> => {
    const { out } = await project.trigger(["status"]);
    return out.includes("active") && /^lynx +names .*well/m.test(out);
  };
  await until(isUp, { within: 30_000 });
  const { code, out } = await project.trigger(["verify"]);
  assert.equal(code, 1);
  assert.match(out, /^box names: it is not up: `trigger up --host box` starts it$/m);
  assert.match(out, /^lynx names: the rows: equal/m);
});

test("status --verbose shows the epoch, change and time at which each table was equal", async (t) => {
  const project = makeProject(t);
  project.spawn(["up", "--all"]);
  await until(async () => (await project.trigger(["status"])).code === 0, { within: 30_000 });
  const { out } = await project.trigger(["status", "--verbose"]);
  assert.match(
    out,
    /^box names: equal as of epoch \d{16}, change \d+, checked [\d-]*.?\d\d:\d\d:\d\d; the directory at \d{14}\.\d+Z#/m,
  );
});

test("verify compares daemons with their rows on other machines too", {
  timeout: 120_000,
}, async (t) => {
  await using server = await startRabbit();
  const hosts = { civet: ["event"], box: ["dns"], lynx: ["dns", "names"] };
  const config = configText({ broker: { url: server.url }, directory: { ldif: "directory.ldif" }, hosts });
  const files = { "trigger.config.ts": config, "services/dns.ts": shared };
  const folders = new Map(Object.keys(hosts).map((host) => [host, makeProject(t, { files })]));
  const folderOf = (host: string) => folders.get(host) ?? assert.fail(host);
  const world = machines(folderOf);
  for (const host of Object.keys(hosts)) world.start(host);
  await until(async () => (await world.trigger("civet", ["status"])).code === 0, { within: 60_000 }).catch((error) => {
    throw new Error(`${error.message}\n${world.said()}`);
  });
  const well = await world.trigger("civet", ["verify"]);
  assert.equal(well.code, 0, well.out + well.err);
  for (const daemon of ["box dns", "lynx dns", "lynx names"])
    assert.match(well.out, new RegExp(`^${daemon}: the daemon: the same$`, "m"));

  folderOf("box").write("out/box/daemon", "laptop 192.0.2.77\n");
  folderOf("lynx").write("out/lynx/away", "");
  const { code, out } = await world.trigger("civet", ["verify"]);
  assert.equal(code, 1, out);
  const shows = "`trigger diff dns` on box shows the differences";
  assert.ok(
    out.includes(`\nbox dns: the daemon: differs (1 missing, 1 with other content, 1 in files): ${shows}\n`),
    `${out}${world.said()}`,
  );
  assert.match(out, /^lynx dns: the daemon: could not be compared: the daemon is away$/m);
  assert.match(out, /^lynx names: the daemon: the same$/m);
  assert.equal(folderOf("box").read("out/box/daemon"), "laptop 192.0.2.77\n", "it was only looked at");
  assert.match((await world.trigger("box", ["diff", "dns"])).out, /^box dns: differs\n {2}missing /);
});

test("verify reports the daemon of an older host as not compared, without failing", async (t) => {
  const project = makeProject(t, { hosts: { box: ["names"], civet: ["event"] } });
  project.spawn(["up", "--host", "civet"]);
  await until(async () => (await project.trigger(["status"])).out.includes("active"), { within: 30_000 });
  const broker = await connectBroker(await openProject(project.folder), { log: () => {} });
  t.after(() => broker.close());
  const at = Date.now() + 60_000; // it has answered any earlier question
  const names: ServiceReport = {
    ...{ code: "c", form: "table", rows: 2, doubt: false, serving: false, pending: 0, failing: false },
    ...{ refused: [], refusedCount: 0, parked: [], parkedCount: 0, reloads: [] },
    ...{ equal: { epoch: 1, seq: 0, asOf: { state: [], clock: at } }, verified: { asked: at, differed: false } },
  };
  const report: ReportMessage = { trigger: 1, kind: "report", host: "box", at, services: { names } };
  await broker.publish("trigger.report", JSON.stringify(report));
  await until(async () => (await project.trigger(["status"])).out.includes("box    names"));
  // The host answers orders, and its reports say nothing of its daemon.
  const queue = queueOf("box", "control", "control");
  await broker.declare([queue]);
  const take = ({ body, ack }: Delivery): void => {
    const order = orderMessage.parse(JSON.parse(new TextDecoder().decode(body)));
    const outcome = { done: true, text: "its rows are being compared" };
    const answer: AnswerMessage = { trigger: 1, kind: "answer", host: "box", order, way: "broker", outcome, at };
    void broker.publish("trigger.report", JSON.stringify(answer)).then(ack);
  };
  await broker.consume(queue.name, take, { prefetch: 1 });
  const { code, out } = await project.trigger(["verify"]);
  assert.equal(code, 0, out);
  assert.match(out, /^box names: the daemon: not compared: its host cannot; run `trigger diff names` there$/m);
});
