import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { hostScene, row } from "../../../test/fixtures/host.ts";
import { until } from "../../../test/until.ts";
import { type Service, service } from "../../core/service/service.ts";
import { memoryMachine } from "../../testing/memory-machine.ts";

const path = "/etc/demo/hosts";

/** A host whose checker is killed `kills` times and refuses texts with "typo". Its services have one file each, with different headers. */
async function world() {
  const machine = memoryMachine();
  const seen = { checks: 0, kills: 0 };
  machine.program("checkd", ({ arguments: [name = ""] }) => {
    seen.checks += 1;
    if (seen.kills > 0) {
      seen.kills -= 1;
      return { code: 137, stderr: "Killed" };
    }
    const bad = machine.text(name)?.includes("typo");
    return bad ? { code: 1, stderr: "syntax error" } : {};
  });
  machine.program("reloadd", () => ({}));
  const code = (header: string): Service =>
    service({
      row: z.object({ name: z.string(), ip: z.string() }),
      unique: ["ip"],
      select: () => undefined,
      async run({ rows }, host) {
        const text = header + [...rows].map(({ name, ip }) => `${ip} ${name}\n`).join("");
        await host.install({ path, text }, { check: ["checkd", "{staged}"], reload: ["reloadd"] });
      },
    }) as unknown as Service;
  const one = hostScene(code("# v1\n"), { machine });
  await one.say([["k", row("a", "10.0.0.1")]]);
  let host = one.up();
  await until(() => machine.text(path)?.includes("10.0.0.1"));
  await one.clock.advance(2000);
  const pass = async (seconds: number, step = 1): Promise<void> => {
    for (let left = seconds; left > 0; left -= step) {
      await one.clock.advance(step * 1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return {
    ...one,
    ...{ seen, pass },
    has: (line: string): boolean => machine.text(path)?.includes(line) ?? false,
    /** The host starts again, with another code. */
    async again(header: string, hash = header): Promise<void> {
      await host.down();
      host = one.up({ definition: code(header), code: hash });
    },
    async [Symbol.asyncDispose]() {
      await host.down();
      one.end();
    },
  };
}

test("a check that failed only once delays no row", async () => {
  await using all = await world();
  all.seen.kills = 1;
  await all.say([["j", row("b", "10.0.0.2")]]);
  await until(() => all.has("10.0.0.2"));
  assert.equal(all.report().refusedCount, 0);
});

test("a good row refused by a passing fault is tried again by itself", async () => {
  await using all = await world();
  const { seen, say, report, retained, pass, has } = all;
  // The first check, the last good text, the applied text, and the row twice.
  const kill = [true, true, false, false, true];
  all.machine.program("checkd", () => (kill.pop() ? { code: 137, stderr: "Killed" } : {}));
  await say([["j", row("b", "10.0.0.2")]]);
  await until(() => report().refusedCount === 1 || has("10.0.0.2"));
  assert.equal(report().refusedCount, 1);
  const [[, by, detail] = []] = retained();
  assert.equal(by, "check");
  assert.match(String(detail), /^checkd exited 137: Killed/);
  await pass(29);
  assert.equal(seen.checks > 0 && has("10.0.0.2"), false);
  await pass(3);
  await until(() => has("10.0.0.2"));
  assert.equal(report().refusedCount, 0);
});

test("a bad row is retried with growing waits and delays no other", async () => {
  await using all = await world();
  const { seen, say, report, pass, has } = all;
  await say([
    ["j", row("typo", "10.0.0.2")],
    ["i", row("typo-too", "10.0.0.3")],
  ]);
  await until(() => report().refusedCount === 2);
  const since = report().refused.map(({ since }) => since);
  const tries: number[] = [];
  for (let minute = 0; minute < 240; minute++) {
    const before = seen.checks;
    await pass(60, 6);
    if (seen.checks > before) tries.push(minute);
  }
  // After 30 s, 1, 2, 4, 8, 16, 32 and 60 minutes, then each hour.
  assert.ok(tries.length >= 9 && tries.length <= 14, tries.join(", "));
  assert.ok((tries.at(-1) ?? 0) - (tries.at(-2) ?? 0) >= 58, tries.join(", "));
  assert.deepEqual(
    report().refused.map(({ since }) => since),
    since,
  );
  await say([["new", row("c", "10.0.0.4")]]);
  await until(() => has("10.0.0.4"));
  await say([["j", row("mended", "10.0.0.2")]]);
  await pass(2);
  await until(() => has("mended"));
  assert.equal(report().refusedCount, 1);
});

test("a refused text without a blamed row is retried, at once with new code", async () => {
  await using all = await world();
  const { seen, report, pass, has, again, facts } = all;
  seen.kills = 1;
  await again("# v2\n");
  await until(() => facts()?.fatal !== undefined);
  await pass(32);
  await until(() => has("# v2"));
  await again("# v3 typo\n");
  await until(() => facts()?.fatal !== undefined);
  await pass(200);
  assert.ok(report().failing && has("# v2"));
  assert.match(report().why ?? "", /the last good text passes it; no row has changed, so no row is to blame: /);
  await again("# v4\n");
  await until(() => has("# v4"));
  assert.equal(report().failing, false);
});

test("a text given up after three reloads is retried under other code only", async () => {
  await using all = await world();
  const { pass, has, again, facts, machine } = all;
  let reloads = 0;
  let broken = true;
  machine.program("reloadd", () => {
    reloads += 1;
    return broken && has("# v2") ? { code: 1, stderr: "no" } : {};
  });
  await again("# v2\n");
  await until(async () => {
    await pass(6);
    return facts()?.fatal !== undefined;
  });
  broken = false;
  const before = reloads;
  await again("# v2\n");
  await until(() => facts()?.fatal !== undefined);
  await pass(120);
  assert.deepEqual([reloads, has("# v2")], [before, false]);
  await again("# v2\n", "with another reload");
  await until(() => has("# v2"));
});
