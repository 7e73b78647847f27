import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { emptyStore } from "../../../test/fixtures/empty-store.ts";
import { runs } from "../../../test/hostile.ts";
import { type Service, service } from "../../core/service/service.ts";
import { canonical, isRefused, refusedCell } from "../../core/stream/cells.ts";
import { memoryMachine } from "../../testing/memory-machine.ts";
import { virtualClock } from "../../testing/virtual-clock.ts";
import { serviceReport } from "../report/report.ts";
import { hostStore } from "../store/host-store.ts";
import { runTable } from "./run-table.ts";

const path = "/etc/demo/hosts";
const whole = "/etc/demo/demo.conf";

/** A service of one file on a machine whose checker refuses each line with "bad", or everything while it is `broken`. */
function scene({ within = false, removals = Number.POSITIVE_INFINITY } = {}) {
  const machine = memoryMachine({ files: { [whole]: `workers 2\ninclude ${path}\n` } });
  const seen = { checks: 0, reloads: 0, broken: false, whileChecking: () => {} };
  const read = (name: string): string =>
    (machine.text(name) ?? "").replace(/^include (.*)$/gm, (_, included) => machine.text(included) ?? "missing: bad");
  machine.program("checkd", ({ arguments: [name = ""] }) => {
    seen.checks += 1;
    seen.whileChecking();
    if (seen.broken) return { code: 1, stderr: "no space left" };
    if (within && !read(name).startsWith("workers")) return { code: 1, stderr: "not the whole configuration" };
    const bad = read(name)
      .split("\n")
      .find((line) => line.includes("bad"));
    return bad === undefined ? {} : { code: 1, stderr: `wrong line: ${bad}` };
  });
  machine.program("reloadd", () => {
    seen.reloads += 1;
    assert.ok(!machine.text(path)?.includes("bad"), "no text that failed its check is ever in place");
  });
  const definition = service({
    row: z.object({ name: z.string(), ip: z.string() }),
    unique: ["ip"],
    select: () => undefined,
    async run({ rows }, host) {
      const text = [...rows].map(({ name, ip }) => `${ip} ${name}\n`).join("");
      const file = { path, text, ...(within ? { within: whole } : {}) };
      await host.install(file, { check: ["checkd", "{staged}"], reload: ["reloadd"] });
    },
  }) as unknown as Extract<Service, { table: unknown }>;
  const database = emptyStore();
  const store = hostStore(database).service("demo");
  const clock = virtualClock(Date.UTC(2026, 0, 1));
  const stored = store.rows(definition.table);
  store.write({ form: "table" });
  const logged: string[] = [];
  const signal = new AbortController().signal;
  return {
    ...{ machine, seen, database, store, clock, logged, stored },
    /** Sends rows by key: a name, a refusal, or null; the address is the key's own unless it is given. */
    say(rows: Record<string, string | null>, ips: Record<string, string> = {}): void {
      const cells = Object.entries(rows).map(
        ([key, name]) =>
          [key, name === null || isRefused(name) ? name : canonical({ name, ip: ips[key] ?? key })] as const,
      );
      stored.write({ kind: "rows", rows: cells, staged: false }, clock.now());
    },
    run: () =>
      runTable(definition.table, {
        ...{ host: "a", store, machine, clock, signal },
        removals: { limit: () => removals, mayEmpty: true, now: clock.now },
        log: (line) => void logged.push(line),
      }),
    lines: () => (machine.text(path) ?? "").split("\n").filter((line) => line !== ""),
    report: () => serviceReport(store),
    owe: () => store.orderFullRun(),
    facts: () => store.facts,
  };
}

const keyOf = (n: number): string => `k${String(n).padStart(3, "0")}`;

test("any refused rows of a text are listed, and the good ones installed", async () => {
  const world = fc.record({
    within: fc.boolean(),
    before: fc.array(fc.boolean(), { maxLength: 30 }),
    after: fc.array(fc.constantFrom("same", "good", "bad", "gone"), { maxLength: 40 }),
    full: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(world, async ({ within, before, after, full }) => {
      const { say, run, lines, report, owe, database } = scene({ within });
      const current = new Map<string, string>();
      const refused = new Set<string>();
      const expect = (): void => {
        assert.deepEqual(
          lines(),
          [...current].sort().map(([key, name]) => `${key} ${name}`),
        );
        assert.deepEqual(
          report().refused.map(({ key }) => key),
          [...refused].sort().slice(0, 100),
        );
        assert.equal(report().pending, 0);
        assert.equal(report().rows, current.size);
      };
      const first = Object.fromEntries(before.map((isGood, n) => [keyOf(n), isGood ? `first-${n}` : `bad-${n}`]));
      for (const [key, name] of Object.entries(first)) {
        if (name.startsWith("bad")) refused.add(key);
        else current.set(key, name);
      }
      owe();
      say(first);
      await run();
      expect();
      const second: Record<string, string | null> = {};
      for (const [n, what] of after.entries()) {
        const key = keyOf(n);
        if (what === "same") continue;
        second[key] = what === "gone" ? null : `${what}-again-${n}`;
        refused.delete(key);
        if (what === "bad") refused.add(key);
        else if (what === "gone") current.delete(key);
        else current.set(key, `good-again-${n}`);
      }
      if (full) owe();
      say(second);
      await run();
      expect();
      for (const { key, by, why } of report().refused) {
        assert.equal(by, "check");
        assert.match(why, new RegExp(`checkd .*wrong line: ${key} bad`));
      }
      database.close();
    }),
    { numRuns: runs(40) },
  );
});

test("if checks cannot find every refused row, all changes wait, with a reason", async () => {
  const { say, run, lines, report, seen } = scene();
  say({ a: "first" });
  await run();
  const reloads = seen.reloads;
  say(Object.fromEntries(Array.from({ length: 400 }, (_, n) => [keyOf(n), n % 4 === 0 ? `bad-${n}` : `good-${n}`])));
  await assert.rejects(
    run(),
    /last good text passes it; all 400 changes wait: not all rows to blame were found within 100 checks/,
  );
  assert.deepEqual(lines(), ["a first"]);
  assert.equal(seen.reloads, reloads);
  assert.ok(seen.checks < 110, `${seen.checks} checks`);
  assert.equal(report().refusedCount, 0);
  assert.match(report().why ?? "", /all 400 changes wait/);
});

test("a check that refuses every text blames no row", async () => {
  const { say, run, lines, report, seen, facts } = scene();
  say({ a: "first" });
  await run();
  seen.broken = true;
  say({ b: "second", c: "third" });
  await assert.rejects(run(), /the last good text fails it, too, so no text is to blame/);
  assert.deepEqual([report().refusedCount, facts()?.fatal], [0, undefined]);
  seen.broken = false;
  await run();
  assert.deepEqual(lines(), ["a first", "b second", "c third"]);
});

test("a check that refuses the empty text too blames no row", async () => {
  const { say, run, report, seen } = scene();
  seen.broken = true;
  say({ a: "first", b: "bad" });
  await assert.rejects(run(), /all 2 changes wait: it also refuses the applied rows: .*no space left/);
  assert.equal(report().refusedCount, 0);
  seen.broken = false;
  await run();
  assert.equal(report().refusedCount, 1);
});

test("rows that pass an address on wait together, so none has it twice", async () => {
  const { say, run, lines, report } = scene();
  say({ a: "one", b: "two", c: "three" });
  await run();
  say({ a: "one", b: "bad", c: "other" }, { a: "b", b: "a" });
  await run();
  assert.deepEqual(lines(), ["a one", "b two", "c other"]);
  assert.deepEqual(
    report().refused.map(({ key, retained }) => [key, retained]),
    [
      ["a", true],
      ["b", true],
    ],
  );
});

test("a retained row that yields to a refused one stays applied", async () => {
  const { say, run, lines, report, seen } = scene();
  say({ k1: "a", k2: "b" }, { k1: "10.0.0.1", k2: "10.0.0.2" });
  await run();
  say({ k1: refusedCell("claimed by two"), k3: "bad", k4: "c" }, { k3: "10.0.0.1", k4: "10.0.0.4" });
  await run();
  assert.deepEqual(lines(), ["10.0.0.1 a", "10.0.0.2 b", "10.0.0.4 c"]);
  assert.deepEqual([report().refusedCount, report().pending, seen.reloads], [2, 0, 2]);
  say({ k3: "d" }, { k3: "10.0.0.1" });
  await run();
  assert.deepEqual(lines(), ["10.0.0.2 b", "10.0.0.1 d", "10.0.0.4 c"]);
});

test("rows that waited with a refused row are applied once it is removed", async () => {
  const { say, run, lines, report } = scene();
  say({ k1: "printer", k2: "desk" });
  await run();
  // The desk takes the printer's address, and a bad row takes the desk's.
  say({ k1: null, k2: "desk", k3: "bad" }, { k2: "k1", k3: "k2" });
  await run();
  assert.deepEqual(lines(), ["k1 printer", "k2 desk"]);
  assert.equal(report().refusedCount, 3);
  say({ k3: null });
  await run();
  assert.deepEqual(lines(), ["k1 desk"]);
  assert.equal(report().refusedCount, 0);
});

test("removals that arrive during a bisection count like any others", async () => {
  const { say, run, lines, seen } = scene({ removals: 1 });
  say({ a: "first", b: "second", c: "third" });
  await run();
  say({ a: null, d: "bad" });
  seen.whileChecking = () => say({ b: null, c: null });
  await run();
  assert.deepEqual(lines(), ["a first", "b second", "c third"]);
});

test("a hold during a bisection stops the install of the good rows", async () => {
  const { say, run, lines, facts, seen, store } = scene();
  say({ k1: "a", k2: "b" });
  await run();
  seen.whileChecking = () => store.write({ held: { by: "person", detail: "I edit it" } });
  say({ k3: "bad", k4: "c" });
  await assert.rejects(run(), /the check .* failed.*; a person has held it meanwhile/);
  assert.deepEqual([lines(), seen.reloads], [["k1 a", "k2 b"], 1]);
  assert.deepEqual([facts()?.held, facts()?.fatal], [{ by: "person", detail: "I edit it" }, undefined]);
  seen.whileChecking = () => {};
  store.write({ held: undefined });
  await run();
  assert.deepEqual(lines(), ["k1 a", "k2 b", "k4 c"]);
});

test("a row refused by a check is tried again when changed or on request", async () => {
  const { say, run, lines, report, machine, stored, clock } = scene();
  say({ a: "first" });
  await run();
  say({ a: "bad", b: "good" });
  await run();
  assert.deepEqual(lines(), ["a first", "b good"]);
  say({ a: "mended" });
  await run();
  assert.deepEqual(lines(), ["a mended", "b good"]);
  say({ b: "bad" });
  await run();
  machine.program("checkd", () => {});
  machine.program("reloadd", () => {});
  stored.judgeRetained(clock.now());
  await run();
  assert.deepEqual(lines(), ["a mended", "b bad"]);
  assert.equal(report().refusedCount, 0);
});

test("a text that passed a moment ago is not given up", async () => {
  const { say, run, seen, logged, facts, lines } = scene();
  say({ "10.0.0.1": "first" });
  await run();
  say({ "10.0.0.1": "good", "10.0.0.2": "bad" });
  seen.whileChecking = () => {
    if (!logged.some((line) => line.includes("changes wait"))) return;
    seen.broken = true;
    seen.whileChecking = () => {
      seen.broken = false;
    };
  };
  await assert.rejects(run(), /the last good text passes it/);
  assert.equal(facts()?.fatal, undefined);
  await run();
  assert.deepEqual(lines(), ["10.0.0.1 good"]);
});
