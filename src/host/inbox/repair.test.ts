import assert from "node:assert/strict";
import { test } from "node:test";
import { hostScene, row, simulatedService } from "../../../test/fixtures/host.ts";
import { until } from "../../../test/until.ts";
import type { StreamMessage } from "../../core/stream/messages.ts";

const count = 12_000;
const ipOf = (n: number): string => `10.0.${n >> 8}.${n & 255}`;
const all = (name: string) => Array.from({ length: count }, (_, n): [string, string] => [`k${n}`, row(name, ipOf(n))]);
const percent = (why: string | undefined): number => Number(/ ([\d.]+) % /.exec(why ?? "")?.[1] ?? Number.NaN);

test("a long repair reports its remainder, applies changes meanwhile and survives a restart", async () => {
  const dhcp = simulatedService();
  /** The number of parts that are still answered, and the rows received in them. */
  const parts = { left: 0, rows: 0 };
  const answering = (answer: StreamMessage): boolean => {
    if (answer.kind !== "part") return true;
    if (parts.left === 0) return false;
    parts.left -= 1;
    parts.rows += answer.rows.length;
    return true;
  };
  const world = hostScene(dhcp.definition, { answering });
  const { say, lose, digest, clock, report, facts, logged, end } = world;
  await say(all("old"));
  let host = world.up();
  await until(() => dhcp.served.size === count);
  const second = () => clock.advance(1000);

  lose(all("new"));
  await digest();
  const first = await leftAfter(0);
  assert.equal(first, 100);
  assert.equal(report().doubt, true);
  const third = await leftAfter(8);
  assert.ok(third > 50 && third < 90, `${third} %`);
  const told = logged.filter((line) => line.startsWith("dhcp: the table: ")).map(percent);
  assert.ok(told.length > 0 && told.every((left) => left >= third && left <= 100), logged.join("\n"));
  assert.equal(parts.rows, 8 * 500);

  await say([
    ["k0", row("live", ipOf(0))],
    ["k1", null],
    ["k2", row("live", ipOf(2))],
    [`k${count}`, row("live", ipOf(count))],
  ]);
  for (const key of ["k0", "k2", `k${count}`]) {
    await until(() => second().then(() => dhcp.served.get(key)?.name === "live"));
  }
  assert.equal(dhcp.served.has("k1"), false);
  assert.equal(percent(report().why), third, "and it is still in the middle");

  await host.kill();
  assert.equal(percent(report().why), third, "also while the host is down");
  host = world.up();
  const restarted = await leftAfter(0);
  assert.ok(restarted <= third, `${restarted} % after ${third} %`);
  const half = await leftAfter(4);
  assert.ok(half < restarted, `${half} % after ${restarted} %`);

  parts.left = Number.POSITIVE_INFINITY;
  await until(() => second().then(() => report().doubt === false && report().pending === 0));
  assert.ok(parts.rows <= count + 1000, `${parts.rows} rows were told for a table of ${count}`);
  assert.equal(facts()?.left, 0);
  assert.equal(report().why, undefined);
  const names = Map.groupBy(dhcp.served.values(), ({ name }) => name);
  assert.deepEqual([...names].map(([name, rows]) => [name, rows.length]).sort(), [
    ["live", 3],
    ["new", count - 3],
  ]);
  await host.down();
  end();

  /** Answers a number of parts, a question at a time; returns the percentage that is then left. */
  async function leftAfter(more: number): Promise<number> {
    const before = percent(report().why);
    parts.left = more;
    await until(() =>
      second().then(() => parts.left === 0 && percent(report().why) <= (more > 0 ? before - 0.1 : 100)),
    );
    return percent(report().why);
  }
});
