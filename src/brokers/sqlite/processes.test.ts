import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { until } from "../../../test/until.ts";
import type { Delivery, Limit } from "../../ports/broker.ts";
import { sqliteBroker } from "./broker.ts";

/** Several processes of one machine with one file, and the faults of one of them. */

const directory = mkdtempSync(join(tmpdir(), "trigger-processes-"));
const children = new Set<ChildProcess>();
test.after(async () => {
  for (const child of children) {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
  rmSync(directory, { recursive: true });
});

/** The polling interval, so long that the tests rely on the wake-ups. */
const never = 2 ** 30;
const limit: Limit = { messages: 100_000, bytes: 1e9, beyond: "refuse" };
const log = (): void => {};
const text = ({ body }: { body: Uint8Array }): string => String(Buffer.from(body));

interface Process {
  readonly child: ChildProcess;
  /** The values that the process has sent. */
  readonly said: unknown[];
}

/** Runs a script in a process of its own. It has a `broker` with the file, and sends values to the test with `say`. */
function run(file: string, script: string, { through = [] as string[], checkEvery = never } = {}): Process {
  const source = `
    const { sqliteBroker } = await import(${JSON.stringify(import.meta.resolve("./broker.ts"))});
    const say = (what) => new Promise((resolve) => process.send(what, resolve));
    const file = ${JSON.stringify(file)};
    const broker = await sqliteBroker(file, { log() {}, checkEvery: ${checkEvery} });
    ${script}`;
  const [command, ...args] = [...through, process.execPath, "--input-type=module", "-e", source];
  const child = spawn(command!, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  children.add(child);
  const said: unknown[] = [];
  child.on("message", (what) => said.push(what));
  return { child, said };
}

async function kill({ child }: Process): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}

async function world(name: string, options: { checkEvery?: number; busyLimit?: number } = {}) {
  const file = join(directory, name);
  const broker = await sqliteBroker(file, { log, checkEvery: never, ...options });
  await broker.declare([{ name: "q", keys: ["k"], limit }]);
  return { file, broker, [Symbol.asyncDispose]: () => broker.close() };
}

test("messages in hand of a killed process go to the next consumer, as redelivered", async () => {
  await using here = await world("killed", { checkEvery: 20 });
  for (let n = 0; n < 6; n++) await here.broker.publish("k", `${n}`);
  const victim = run(
    here.file,
    `let taken = 0;
     await broker.consume("q", (delivery) => {
       if (++taken === 1) delivery.ack();
       if (taken === 4) setTimeout(() => say("in hand"), 50);
     }, { prefetch: 3 });`,
  );
  await until(() => victim.said.length === 1);
  const got: Delivery[] = [];
  const take = (delivery: Delivery): void => {
    got.push(delivery);
    delivery.ack();
  };
  await here.broker.consume("q", take, { prefetch: 10 });
  await until(() => here.broker.trouble()?.includes("waiting for its turn"));
  assert.equal(got.length, 0);
  await kill(victim);
  await until(() => got.length === 5);
  assert.deepEqual(got.map(text), ["1", "2", "3", "4", "5"]);
  assert.ok(got.slice(0, 3).every(({ redelivered }) => redelivered));
  assert.equal(here.broker.trouble(), undefined);
});

test("three publishing processes lose and repeat nothing, and keep their orders", async () => {
  await using here = await world("three");
  const each = 300;
  const got: string[] = [];
  const take = (delivery: Delivery): void => {
    got.push(text(delivery));
    delivery.ack();
  };
  await here.broker.consume("q", take, { prefetch: 20 });
  for (const name of ["a", "b", "c"]) {
    run(
      here.file,
      `const numbers = Array.from({ length: ${each} }, (_, n) => n);
       for (const n of numbers.slice(0, 50)) await broker.publish("k", "${name} " + n);
       await Promise.all(numbers.slice(50).map((n) => broker.publish("k", "${name} " + n)));
       await broker.close();
       process.disconnect();`,
    );
  }
  await until(() => got.length >= 3 * each);
  for (const name of ["a", "b", "c"]) {
    const mine = got.filter((body) => body.startsWith(name));
    assert.deepEqual(
      mine,
      Array.from({ length: each }, (_, n) => `${name} ${n}`),
    );
  }
});

test("a consumer in another process is woken by a publish, not by polling", async () => {
  await using here = await world("woken");
  const consumer = run(
    here.file,
    `await broker.consume("q", (delivery) => { delivery.ack(); say(String(Buffer.from(delivery.body))); }, { prefetch: 1 });
     await say("ready");`,
  );
  await until(() => consumer.said.length === 1);
  for (let n = 0; n < 3; n++) {
    await here.broker.publish("k", `${n}`);
    await until(() => consumer.said.length === n + 2);
  }
  assert.deepEqual(consumer.said, ["ready", "0", "1", "2"]);
});

test("a process stopped in a write does not stop others' event loops", async () => {
  await using here = await world("stopped", { busyLimit: 600 });
  const stopped = run(
    here.file,
    `const { DatabaseSync } = await import("node:sqlite");
     globalThis.database = new DatabaseSync(file);
     database.exec("BEGIN IMMEDIATE");
     await say("writing");
     setInterval(() => {}, 1000);`,
  );
  await until(() => stopped.said.length === 1);
  stopped.child.kill("SIGSTOP");
  let turns = 0;
  const turning = setInterval(() => turns++, 5);
  const start = performance.now();
  await assert.rejects(here.broker.publish("k", "1"), /cannot be used now/);
  clearInterval(turning);
  assert.ok(performance.now() - start > 600);
  assert.ok(turns > 20, `${turns} turns of the event loop in 600 ms`);
  assert.match(here.broker.trouble() ?? "", /another process has been writing/);
  const late = here.broker.publish("k", "2");
  await kill(stopped);
  await late;
  assert.equal(here.broker.trouble(), undefined);
});

test("a publisher killed at any moment leaves all that it stored", async (t) => {
  const { file, broker } = await world("publisher-killed");
  await broker.close();
  const confirmed: string[] = [];
  for (let round = 0; round < 6; round++) {
    const publisher = run(
      file,
      `for (let n = 0; ; n++) {
         await Promise.all([0, 1, 2].map((part) => broker.publish("k", "${round} " + (n * 3 + part))));
         process.send(n * 3 + 2);
       }`,
    );
    await until(() => publisher.said.length > 0);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 30)); // any moment
    await kill(publisher);
    confirmed.push(`${round} ${publisher.said.at(-1)}`);
  }
  t.diagnostic(`told: ${confirmed.join(", ")}`);
  using database = new DatabaseSync(file);
  assert.equal(database.prepare("PRAGMA integrity_check").get()?.integrity_check, "ok");
  const stored = database.prepare("SELECT CAST(body AS TEXT) AS body FROM message ORDER BY id").all();
  const bodies = stored.map(({ body }) => String(body));
  for (const [round, last] of confirmed.entries()) {
    const mine = bodies.filter((body) => body.startsWith(`${round} `));
    assert.deepEqual(
      mine,
      mine.map((_, n) => `${round} ${n}`),
    );
    assert.ok(mine.includes(last), `${last} was told to be stored, and ${mine.at(-1)} is the last one there`);
  }
  const counted = database.prepare("SELECT messages, bytes FROM queue").get();
  assert.deepEqual({ ...counted }, { messages: bodies.length, bytes: bodies.join("").length });
});

test("a candidate in another process takes over from one that is killed", async () => {
  await using here = await world("election", { checkEvery: 20 });
  const first = run(here.file, `await broker.campaign("e", say);`);
  await until(() => first.said.length === 1);
  const said: boolean[] = [];
  await here.broker.campaign("e", (active) => said.push(active));
  await new Promise((resolve) => setTimeout(resolve, 60)); // three intervals in which it must not become active
  assert.deepEqual(said, []);
  await kill(first);
  await until(() => said.length === 1);
  assert.deepEqual([first.said, said], [[true], [true]]);
});

// The test needs prlimit of util-linux, which every Debian has.
test("a full disk is an error of the publish, until there is room", async () => {
  const { file, broker } = await world("full");
  await broker.publish("k", "before");
  await broker.close();
  // A limit on the size of files acts as a full disk: writes fail in the same place.
  const through = ["sh", "-c", 'ulimit -S -f 400; exec "$@"', "sh"];
  const process = run(
    file,
    `const body = "x".repeat(20000);
     for (;;) {
       try { await broker.publish("k", body); } catch (error) { await say({ error: error.message, trouble: broker.trouble() }); break; }
     }
     await broker.consume("q", async (delivery) => { delivery.ack(); await say({ got: delivery.body.length }); }, { prefetch: 1 });
     for (;;) {
       try { await broker.publish("k", body + "!"); break; } catch { await new Promise((resolve) => setTimeout(resolve, 5)); }
     }
     while (broker.trouble()) await new Promise((resolve) => setTimeout(resolve, 5));
     await say({ trouble: "none" });`,
    { through, checkEvery: 20 },
  );
  const has = (found: (what: Record<string, string>) => unknown): boolean =>
    process.said.some((what) => found(what as Record<string, string>));
  await until(() => has(({ got }) => got));
  assert.match((process.said[0] as { error: string }).error, /full cannot be used now/);
  assert.match((process.said[0] as { trouble: string }).trouble, /full|I\/O/);
  execFileSync("prlimit", ["--pid", String(process.child.pid), "--fsize=unlimited:unlimited"]);
  await until(() => has(({ trouble }) => trouble === "none"));
  await until(() => has(({ got }) => String(got) === "20001"));
});
