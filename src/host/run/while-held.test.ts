import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { hostScene, row, running } from "../../../test/fixtures/host.ts";
import { until } from "../../../test/until.ts";
import { type Service, service } from "../../core/service/service.ts";
import { Held } from "../../core/util/errors.ts";
import { memoryMachine } from "../../testing/memory-machine.ts";

const path = "/etc/demo/hosts";

/** A host whose service has one file and one set in the memory of a daemon, on a machine where these files are. */
function world(files: Record<string, string> = {}) {
  const machine = memoryMachine({ files });
  const set = new Map<string, string>();
  machine.program("checkd", () => ({}));
  machine.program("reloadd", () => ({}));
  machine.program("setd", ({ input = "" }) => {
    set.clear();
    for (const line of input.split("\n").filter(Boolean)) set.set(line, line);
    return {};
  });
  const definition = service({
    row: z.object({ name: z.string(), ip: z.string() }),
    unique: ["ip"],
    select: () => undefined,
    async run({ rows }, host) {
      const text = [...rows].map(({ name, ip }) => `${ip} ${name}\n`).join("");
      await host.install({ path, text }, { check: ["checkd", "{staged}"], reload: ["reloadd"] });
      await host.tell(["setd"], { input: text });
    },
  }) as unknown as Service;
  const one = hostScene(definition, { machine });
  const order = (what: { readonly order: string; readonly [field: string]: unknown }): Promise<void> => one.give(what);
  const pass = async (seconds: number): Promise<void> => {
    for (let left = seconds; left > 0; left -= 5) {
      await one.clock.advance(5000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { ...one, machine, set, order, pass, text: () => machine.text(path) };
}

test("the removal of a conflicting file is noticed within a minute or at start", async () => {
  for (const how of ["up", "start"] as const) {
    const { say, up, facts, text, pass, machine, end, report } = world({ [path]: "by hand\n" });
    await say([["k", row("a", "10.0.0.1")]]);
    let host = up();
    await until(() => facts()?.held);
    await pass(120);
    assert.equal(text(), "by hand\n");
    assert.notEqual(report().conflict, undefined);
    if (how === "start") await host.down();
    await machine.files.remove(path);
    if (how === "start") host = up();
    else await pass(60);
    await until(() => text() === "10.0.0.1 a\n");
    assert.deepEqual([facts()?.held, report().conflict], [undefined, undefined]);
    await host.down();
    end();
  }
});

test("a look at a conflict writes nothing, and another text stays held", async () => {
  const { say, up, facts, text, pass, machine, end, set } = world({ [path]: "by hand\n" });
  await say([["k", row("a", "10.0.0.1")]]);
  const host = up();
  await until(() => facts()?.held);
  machine.place(path, "by another hand\n");
  await pass(300);
  assert.deepEqual([text(), set.size], ["by another hand\n", 0]);
  assert.match(facts()?.held?.detail ?? "", /trigger did not write it/);
  machine.place(path, "10.0.0.1 a\n");
  await pass(60);
  await until(() => set.size === 1);
  await host.down();
  end();
});

test("a reboot restores the applied rows of a held service, and no others", async () => {
  const { say, up, facts, text, pass, machine, end, set, order, report } = world();
  await say([["k", row("a", "10.0.0.1")]]);
  let host = up();
  await until(() => set.size === 1);
  await pass(5);
  await order({ order: "hold" });
  await until(() => facts()?.held);
  await say([
    ["k", row("a", "10.0.0.9")],
    ["l", row("b", "10.0.0.2")],
  ]);
  await until(() => report().pending === 2);
  for (const how of ["kill", "down"] as const) {
    await host[how]();
    machine.powerCut();
    set.clear();
    if (how === "down") machine.place(path, "by hand while it is held\n");
    host = up();
    await until(() => set.size > 0);
    assert.deepEqual([...set.keys()], ["10.0.0.1 a"]);
  }
  assert.equal(text(), "by hand while it is held\n", "a file outlives a reboot, and is left as it is");
  set.clear();
  await pass(60);
  assert.equal(set.size, 0, "what was lost without a restart is a person's matter");
  machine.powerCut();
  await pass(60);
  assert.deepEqual([...set.keys()], ["10.0.0.1 a"], "nor is a start of the process needed");
  assert.equal(facts()?.held?.by, "person");
  await order({ order: "approve" });
  await pass(5);
  await until(() => set.size === 2);
  await host.down();
  end();
});

test("a file edited during a person's hold is mended after it", async () => {
  const { say, up, facts, text, pass, machine, end, set, order } = world();
  await say([["k", row("a", "10.0.0.1")]]);
  const host = up();
  await until(() => text() === "10.0.0.1 a\n");
  await pass(5);
  await order({ order: "hold" });
  await until(() => facts()?.held);
  set.clear();
  machine.powerCut();
  machine.place(path, "by hand\n");
  await pass(60);
  assert.equal(set.size, 1, "the daemon that was started again has its set");
  assert.equal(text(), "by hand\n");
  await order({ order: "approve" });
  await pass(5);
  await until(() => text() === "10.0.0.1 a\n");
  await host.down();
  end();
});

test("a service's own hold is looked at again, and ends with its cause", async () => {
  await using all = await running();
  const { dhcp, say, clock, facts } = all;
  let there = true;
  dhcp.controls.before = () => {
    if (there) throw new Held("a table exists, but trigger did not write it");
  };
  await say([["l", row("b", "10.0.0.2")]]);
  await until(() => facts()?.held);
  const asked = async (): Promise<void> => {
    const { runs } = dhcp.seen;
    await until(async () => {
      await clock.advance(10_000);
      return dhcp.seen.runs > runs;
    });
  };
  await asked();
  assert.equal(facts()?.held?.detail, "a table exists, but trigger did not write it");
  there = false;
  await asked();
  await until(async () => {
    await clock.advance(1000);
    return dhcp.served.has("l");
  });
  assert.equal(facts()?.held, undefined);
});

test("too many removed files stay held, with one question logged once", async () => {
  const machine = memoryMachine();
  const definition = service({
    row: z.object({ name: z.string() }),
    select: () => undefined,
    async run({ rows }, host) {
      const files = [...rows].map(({ name }) => ({ path: `/etc/demo/${name.slice(1)}`, text: name }));
      await host.install(files, { all: true });
    },
  }) as unknown as Service;
  const all = hostScene(definition, { machine, removalLimit: () => 1 });
  const cell = (text: string): string => JSON.stringify({ name: text });
  await all.say(["a", "b", "c"].map((key) => [key, cell(`1${key}`)]));
  const host = all.up();
  await until(() => machine.text("/etc/demo/c") === "1c");
  await all.clock.advance(2000);
  await all.say(["a", "b", "c"].map((key) => [key, cell(`2${key}${key}`)]));
  await until(() => all.facts()?.held);
  const { conflict } = all.report();
  const said = all.logged.length;
  for (let times = 0; times < 20; times++) {
    await all.clock.advance(10_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.match(all.facts()?.held?.detail ?? "", /3 files .* at most 1/);
  assert.equal(all.report().conflict, conflict);
  assert.deepEqual(all.logged.slice(said), []);
  await host.down();
  all.end();
});
