import assert from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { after, before, type TestContext, test } from "node:test";
import { systemClock } from "../../src/daemon/clock.ts";
import { ldif, type Machine, makeProject, type Running, type TestProject } from "../project.ts";
import { type RabbitServer, startRabbit } from "../servers/rabbitmq.ts";
import { until } from "../until.ts";

// Two transcribers and a host, each a process of its own, over a real RabbitMQ: whatever becomes of the active one, the other takes over.

const transcribers = ["civet", "genet"];
const hosts = { civet: ["event"], genet: ["event"], box: ["names"] };
/** How long a takeover may take; it is measured, and here only bounded, milliseconds. */
const patience = 60_000;

let server: RabbitServer;
before(async () => {
  server = await startRabbit();
});
after(() => server[Symbol.asyncDispose]());

interface Place {
  readonly epoch: number;
  readonly seq: number;
}

/** What `trigger status --json` says, as far as it matters here. */
interface Status {
  readonly hosts: readonly {
    readonly host: string;
    readonly up?: boolean;
    readonly transcriber?: { readonly active: boolean; readonly epoch?: number };
    readonly services: Readonly<Record<string, { readonly stored?: Place; readonly equal?: Place }>>;
  }[];
}

async function network(t: TestContext, { heartbeat = 5 } = {}) {
  const vhost = t.name.replaceAll(/[^a-z]+/gi, "-");
  await server.ctl("add_vhost", vhost);
  await server.ctl("set_permissions", "-p", vhost, "trigger", ".*", ".*", ".*");
  const project = makeProject(t, {
    files: {
      "trigger.config.ts": `import { defineConfig } from "trigger";
export default defineConfig({
  broker: { url: ${JSON.stringify(`${server.url}/${vhost}`)}, heartbeat: ${heartbeat} },
  directory: { ldif: "directory.ldif" },
  hosts: ${JSON.stringify(hosts)},
});\n`,
    },
  });
  const processes = new Map<string, Running>();
  const start = (host: string): void => void processes.set(host, project.spawn(["up", "--host", host]));
  const status = async (): Promise<Status> => {
    await systemClock.sleep(50); // it is asked again and again, and the processes need the processor
    return JSON.parse((await project.trigger(["status", "--json"])).out);
  };
  const edit = editor(project);
  const watched = watchMark(project);
  t.after(watched.stop);
  for (const host of Object.keys(hosts)) start(host);

  async function active(): Promise<string[]> {
    const { hosts } = await status();
    return hosts.filter(({ up, transcriber }) => up && transcriber?.active).map(({ host }) => host);
  }
  const epochOf = async (host: string): Promise<number> => {
    const { hosts } = await status();
    return hosts.find((one) => one.host === host)?.transcriber?.epoch ?? 0;
  };
  return {
    ...{ project, start, edit, active, epochOf },
    process: (host: string): Running => processes.get(host) ?? assert.fail(`${host} does not run`),
    said: (): string => [...processes].map(([host, { said }]) => `${host} said:\n${said()}`).join("\n"),
    /** Waits until the host serves the directory, and both agree that its table is equal, at a place of `transcriber`. */
    async equalWith(transcriber: string): Promise<void> {
      await until(edit.isServed, { within: patience });
      const { code, out } = await project.trigger(["verify"]);
      assert.equal(code, 0, out);
      const box = (await status()).hosts.find(({ host }) => host === "box");
      const { stored, equal } = box?.services.names ?? {};
      assert.equal(equal?.epoch, await epochOf(transcriber));
      assert.equal(stored?.epoch, equal?.epoch);
      assert.ok(edit.isServed(), "what was equal is served no more");
      assert.deepEqual(watched.wentBack, []);
    },
  };
}

const other = (host: string): string => transcribers.find((one) => one !== host) ?? assert.fail();

/** Who is active, once exactly one is, and the host has all from it. */
async function settled(world: Awaited<ReturnType<typeof network>>): Promise<string> {
  await until(async () => (await world.active()).length === 1, { within: patience }).catch((error) => {
    throw new Error(`${error.message}\n${world.said()}`);
  });
  const [first = ""] = await world.active();
  await world.equalWith(first);
  return first;
}

test("as often as the active transcriber is killed the other takes over and nothing is lost", {
  timeout: 180_000,
}, async (t) => {
  const world = await network(t);
  let active = await settled(world);
  for (let round = 0; round < 3; round++) {
    const next = other(active);
    const epoch = await world.epochOf(active);
    for (let edits = 0; edits < 5; edits++) world.edit.add();
    await world.process(active).end("SIGKILL");
    const since = performance.now();
    world.edit.add(); // while nobody is active
    await until(async () => (await world.active()).includes(next), { within: patience });
    const takenOver = Math.round(performance.now() - since);
    await until(world.edit.isServed, { within: patience });
    const served = Math.round(performance.now() - since);
    t.diagnostic(
      `kill -9: another one active after ${takenOver} ms, the edit made meanwhile served after ${served} ms`,
    );
    assert.ok((await world.epochOf(next)) > epoch);
    const { out, code } = await world.project.trigger(["status"]);
    assert.match(out, new RegExp(`^${active} .*down: its process does not run$`, "m"));
    assert.match(out, new RegExp(`^${next} .* active$`, "m"));
    assert.equal(code, 2);

    world.start(active);
    const standsBy = new RegExp(`^${active} .*stands by$`, "m");
    await until(async () => standsBy.test((await world.project.trigger(["status"])).out), { within: patience });
    world.edit.add();
    await world.equalWith(next);
    active = next;
  }
});

for (const heartbeat of [1, 5]) {
  test(`when the active transcriber stands still the other takes over, and when it wakes nothing goes back; heartbeat ${heartbeat} s`, {
    timeout: 180_000,
  }, async (t) => {
    const world = await network(t, { heartbeat });
    const first = await settled(world);
    const second = other(first);
    const epoch = await world.epochOf(first);
    world.process(first).child.kill("SIGSTOP");
    const since = performance.now();
    world.edit.add(); // the one that stands still learns of it late
    await until(async () => (await world.active()).includes(second), { within: patience });
    const takenOver = Math.round(performance.now() - since);
    t.diagnostic(`SIGSTOP, heartbeat ${heartbeat} s: another one active after ${takenOver} ms`);
    assert.ok((await world.epochOf(second)) > epoch);
    await until(world.edit.isServed, { within: patience });

    // The last word of the one that stands still is that it is active: both say so, until it wakes.
    assert.deepEqual((await world.active()).sort(), [...transcribers].sort());
    world.edit.add();
    world.process(first).child.kill("SIGCONT");
    world.edit.add();
    await until(async () => (await world.active()).length === 1, { within: patience });
    const [now = ""] = await world.active();
    await world.equalWith(now);
    world.edit.add();
    await world.equalWith(now);
  });
}

/** Somebody who edits the directory, and knows what is to be served. */
function editor(project: TestProject) {
  const machines: Machine[] = [];
  const add = (): void => {
    const number = machines.length + 1;
    // Of every machine the address changes each time: a row of an older table is seen.
    machines.push({ name: `m${number}`, ip: "" });
    const now = machines.map(({ name }, at) => ({ name, ip: `10.0.${number}.${at + 1}` }));
    machines.splice(0, machines.length, ...now);
    writeFileSync(project.path("directory.new"), ldif(now));
    renameSync(project.path("directory.new"), project.path("directory.ldif"));
  };
  add();
  return {
    add,
    isServed(): boolean {
      const expected = machines.map(({ name, ip }) => `${name} ${ip}`).sort();
      const served = (project.read("out/box/names") ?? "").trim().split("\n").sort();
      return expected.join() === served.join();
    },
  };
}

/** Looks at the host's own store again and again, and notes when its place in the stream went back. */
function watchMark(project: TestProject) {
  const wentBack: string[] = [];
  let last: Place = { epoch: 0, seq: 0 };
  const timer = setInterval(() => {
    const now = readMark(project);
    if (!now) return;
    const back = now.epoch < last.epoch || (now.epoch === last.epoch && now.seq < last.seq);
    if (back) wentBack.push(`${JSON.stringify(last)} → ${JSON.stringify(now)}`);
    last = now;
  }, 20);
  return { wentBack, stop: () => clearInterval(timer) };
}

function readMark(project: TestProject): Place | undefined {
  try {
    using store = new DatabaseSync(project.path(".trigger/box/store.db"), { readOnly: true, timeout: 50 });
    const found = store.prepare("SELECT followed FROM service WHERE name = 'names'").get();
    return JSON.parse(String(found?.followed ?? "{}")).mark;
  } catch {
    return undefined; // it is being made, or written
  }
}
