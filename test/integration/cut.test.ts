import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ldif, makeProject, record, type TestProject } from "../project.ts";
import { ldapCommands } from "../servers/ldap-commands.ts";
import { type RabbitServer, startRabbit } from "../servers/rabbitmq.ts";
import { type Slapd, startSlapd } from "../servers/slapd.ts";
import { type TcpProxy, tcpProxy } from "../servers/tcp-proxy.ts";
import { until } from "../until.ts";
import { configText, type Machines, machines, watchMark } from "./machines.fixture.ts";

// Two transcribers and a host, a machine each, with real servers. The active transcriber is killed, and each of its
// cables is cut.

const transcribers = ["civet", "genet"] as const;
type Transcriber = (typeof transcribers)[number];
const other = (host: Transcriber): Transcriber => (host === "civet" ? "genet" : "civet");
const hosts = { civet: ["event"], genet: ["event"], box: ["names"] };
const heartbeat = 1; // seconds: a silent peer is noticed after about three of them
const patience = { within: 60_000 };

test("faults of the active transcriber or its network lose and revert no change", {
  timeout: 180_000,
}, async (t) => {
  await using stack = new AsyncDisposableStack();
  const [directory, broker] = await Promise.all([
    startSlapd({ ldif: ldif([]).replace("version: 1\n", "") }),
    startRabbit(),
  ]);
  stack.use(directory);
  stack.use(broker);
  const cables = { civet: await cablesTo(broker, directory, stack), genet: await cablesTo(broker, directory, stack) };
  const world = network(t, cables, broker, directory);
  const edit = editor(directory, world);
  await edit.add("printer", "192.0.2.10");
  const first = await world.active();
  await edit.served();

  // The active one is killed: a change made while no transcriber is active is not lost.
  let epoch = await world.epochOf(first);
  await world.end(first, "SIGKILL");
  await edit.add("laptop", "192.0.2.11");
  const second = other(first);
  await took(t, "kill -9", world, second, epoch);
  await edit.served();
  await edit.rename("laptop", "desk");
  await edit.served();
  world.start(first);
  await until(() => world.process(first).said().includes("entries read"), patience);
  assert.equal(await world.active(), second, "one that comes back stands by");

  // It is cut off from the broker: it notices by itself that it is no longer active.
  epoch = await world.epochOf(second);
  cables[second].broker.pause();
  await edit.add("phone", "192.0.2.12");
  await took(t, "the cable to the broker", world, first, epoch);
  await edit.served();
  await edit.remove("printer");
  await edit.served();
  await until(async () => !(await world.own(second)).transcriber?.active, patience);
  cables[second].broker.resume();
  await edit.rename("desk", "table");
  await edit.served();
  assert.equal(await world.active(), first, "one whose cable is mended stands by");

  // It is cut off from the directory alone: it stays active and reports that. Once it is stopped, the other one goes
  // on.
  epoch = await world.epochOf(first);
  cables[first].directory.pause();
  await edit.add("tablet", "192.0.2.13");
  cables[first].directory.cut();
  await until(() => world.process(first).said().includes(`${first}: the directory: ldap://`), patience);
  await until(async () => (await world.own(first)).transcriber?.trouble !== undefined, patience);
  const { transcriber } = await world.own(first);
  assert.deepEqual([transcriber?.active, transcriber?.epoch], [true, epoch]);
  const { code, out } = await world.trigger(first, ["status"]);
  assert.equal(code, 2, out);
  assert.match(out, new RegExp(`^${first} .*the directory: ldap://`, "m"));
  assert.ok(!edit.isServed(), "the change could not be known to the active one");
  await world.end(first, "SIGTERM");
  await took(t, "stopped", world, second, epoch);
  await edit.served();
  cables[first].directory.resume();
  world.start(first);
  await edit.remove("phone");
  await edit.served();

  assert.equal(await world.active(), second, "one that was started again stands by");
  const { code: equal, out: compared } = await world.trigger(second, ["verify"]);
  assert.equal(equal, 0, compared);
  assert.deepEqual(world.watched.wentBack, []);
  assert.ok(world.watched.last().epoch > epoch);
});

interface Cables {
  readonly broker: TcpProxy;
  readonly directory: TcpProxy;
}

async function cablesTo(broker: RabbitServer, directory: Slapd, stack: AsyncDisposableStack): Promise<Cables> {
  const cables = { broker: await tcpProxy(broker.port), directory: await tcpProxy(directory.port) };
  for (const cable of Object.values(cables)) stack.use(cable);
  return cables;
}

/** The network: each transcriber has cables of its own, and the host is beside the broker. */
function network(t: TestContext, cables: Record<Transcriber, Cables>, broker: RabbitServer, directory: Slapd) {
  const folderAt = (toBroker: number, toDirectory: number): TestProject => {
    const url = Object.assign(new URL(broker.url), { port: `${toBroker}` }).href;
    const { base, adminDn: bindDn, password } = directory;
    const read = { url: `ldap://127.0.0.1:${toDirectory}`, base, bindDn, passwordFile: "ldap.password" };
    const config = configText({ broker: { url, heartbeat }, directory: read, hosts });
    return makeProject(t, { files: { "trigger.config.ts": config, "ldap.password": password } });
  };
  const box = folderAt(broker.port, 1);
  const folders = new Map([["box", box]]);
  for (const host of transcribers) {
    const { broker, directory } = cables[host];
    folders.set(host, folderAt(broker.port, directory.port));
  }
  const all = machines((host) => folders.get(host) ?? assert.fail(host));
  const watched = watchMark(box, "box");
  t.after(watched.stop);
  for (const host of Object.keys(hosts)) all.start(host);

  const isActive = async (host: string): Promise<boolean> => {
    const { up, transcriber } = await all.own(host);
    return up === true && transcriber?.active === true;
  };
  return {
    ...all,
    ...{ watched, isActive },
    epochOf: async (host: string): Promise<number> => (await all.own(host)).transcriber?.epoch ?? 0,
    /** The active transcriber, once exactly one is active. */
    async active(): Promise<Transcriber> {
      let found: Transcriber[] = [];
      await until(async () => {
        const believe = await Promise.all(transcribers.map(isActive));
        found = transcribers.filter((_, n) => believe[n]);
        return found.length === 1;
      }, patience).catch((error) => {
        throw new Error(`${error.message}\n${all.said()}`);
      });
      return found[0] ?? assert.fail();
    },
  };
}

type World = Machines & ReturnType<typeof network>;

/** Waits until another transcriber is active, in a higher epoch than the last. */
async function took(t: TestContext, how: string, world: World, host: Transcriber, after: number): Promise<void> {
  const since = performance.now();
  await until(async () => (await world.isActive(host)) && (await world.epochOf(host)) > after, patience).catch(
    (error) => {
      throw new Error(`${error.message}\n${world.said()}`);
    },
  );
  t.diagnostic(`${how}: another one is active after ${Math.round(performance.now() - since)} ms`);
}

/** An editor of the directory, with a check that its edits are served. */
function editor(directory: Slapd, world: Machines) {
  const ldap = ldapCommands(directory);
  const names = new Map<string, string>();
  const dn = (name: string): string => `cn=${name},${directory.base}`;
  const isServed = (): boolean =>
    world.lines("box", "names").sort().join() ===
    [...names]
      .map(([name, ip]) => `${name} ${ip}`)
      .sort()
      .join();
  return {
    isServed,
    async add(name: string, ip: string): Promise<void> {
      names.set(name, ip);
      await ldap("ldapmodify", ["-a"], record({ name, ip }).trimStart());
    },
    async rename(name: string, to: string): Promise<void> {
      names.set(to, names.get(name) ?? assert.fail(name));
      names.delete(name);
      await ldap("ldapmodrdn", ["-r", dn(name), `cn=${to}`]);
    },
    async remove(name: string): Promise<void> {
      names.delete(name);
      await ldap("ldapdelete", [dn(name)]);
    },
    served: (): Promise<void> =>
      until(isServed, patience).catch((error) => {
        const served = world.lines("box", "names");
        throw new Error(`served: ${served}, not ${JSON.stringify([...names])}\n${world.said()}`, { cause: error });
      }),
  };
}
