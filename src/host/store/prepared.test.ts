import assert from "node:assert/strict";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { test } from "node:test";
import { row, running } from "../../../test/fixtures/host.ts";
import { until } from "../../../test/until.ts";

/** The calls of this process to SQLite, until the end of the scope. */
function watchSqlite() {
  const prepared: string[] = [];
  let calls = 0;
  let factsRead = 0;
  const { prepare, exec } = DatabaseSync.prototype;
  const { get, all, run } = StatementSync.prototype;
  const counted = <Method extends (this: never, ...given: never[]) => unknown>(method: Method) =>
    function (this: unknown, ...given: unknown[]) {
      calls += 1;
      if (this instanceof StatementSync && /^SELECT\b.* FROM service\b/s.test(this.sourceSQL)) factsRead += 1;
      return Reflect.apply(method, this, given);
    };
  Object.assign(DatabaseSync.prototype, {
    exec: counted(exec),
    prepare(this: DatabaseSync, text: string) {
      calls += 1;
      prepared.push(text);
      return prepare.call(this, text);
    },
  });
  Object.assign(StatementSync.prototype, { get: counted(get), all: counted(all), run: counted(run) });
  return {
    prepared,
    get calls() {
      return calls;
    },
    get factsRead() {
      return factsRead;
    },
    [Symbol.dispose]() {
      Object.assign(DatabaseSync.prototype, { prepare, exec });
      Object.assign(StatementSync.prototype, { get, all, run });
    },
  };
}

test("a changed row has no statement prepared, and facts read twice at most", async () => {
  await using world = await running();
  const change = async (ip: string): Promise<void> => {
    await world.say([["k", row("a", ip)]]);
    await until(() => world.dhcp.served.get("k")?.ip === ip);
    await world.clock.advance(2_500); // the reports that follow
  };
  await change("10.0.0.2");
  using sqlite = watchSqlite();
  await change("10.0.0.3");
  assert.deepEqual(sqlite.prepared, []);
  assert.ok(sqlite.factsRead <= 2, `${sqlite.factsRead} reads: the loop's, before and after the run, and no others`);
  assert.ok(sqlite.calls > 20 && sqlite.calls <= 60, `${sqlite.calls} calls of SQLite`);
});
