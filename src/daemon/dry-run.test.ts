import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { z } from "zod";
import { row, simulatedService } from "../../test/fixtures/host.ts";
import { storeOf } from "../../test/fixtures/host-parts.ts";
import { readConfig } from "../core/config/config.ts";
import { type Service, service } from "../core/service/service.ts";
import { refusedCell } from "../core/stream/cells.ts";
import { hostStore } from "../host/store/host-store.ts";
import type { Project } from "../project/project.ts";
import { type DryRun, dryMachines, dryProject } from "./dry-run.ts";

/** The dry machines of a host, and a file on the real one. */
function scene(t: TestContext, definition: Service = simulatedService().definition) {
  const folder = mkdtempSync(join(tmpdir(), "trigger-dry-"));
  const parts = storeOf(definition);
  t.after(async () => {
    await parts.end();
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, "hosts");
  writeFileSync(file, "old\n");
  const shown: DryRun[] = [];
  const dry = dryMachines("civet", new Map([["dhcp", definition]]), hostStore(parts.database), {
    show(host, name, run) {
      assert.deepEqual([host, name], ["civet", "dhcp"]);
      shown.push(run);
    },
  });
  const machine = dry.machineOf("dhcp");
  return {
    ...{ folder, file, shown, machine, dry, rows: parts.inbox.rows ?? assert.fail("no table") },
    ran: () => dry.ran?.("dhcp"),
    write: (text: string) => machine.files.write(file, text),
    read: async () => Buffer.from((await machine.files.read(file)) ?? "").toString(),
  };
}

test("a run shows its changes, and makes none of them", async (t) => {
  const { folder, file, shown, machine, ran, write, read } = scene(t);
  assert.ok(machine.dry);
  await write("new\n");
  await machine.files.makeDirectory(join(folder, "made"));
  const mark = join(folder, "mark");
  await machine.run(["touch", mark], { changes: true, deadline: 1000 });
  assert.equal(await read(), "new\n", "the run itself sees its changes");
  ran();
  assert.equal(shown.length, 1);
  const [{ noted, ...rest } = assert.fail("nothing is shown")] = shown;
  assert.deepEqual(noted.files, [{ path: file, before: "old\n", after: "new\n" }]);
  assert.match(noted.changes.join(), /made/);
  assert.deepEqual(
    noted.commands.map(({ command }) => command),
    [["touch", mark]],
  );
  assert.deepEqual(rest, { secret: false, retained: [], retainedCount: 0 });
  assert.equal(readFileSync(file, "utf8"), "old\n");
  assert.ok(!existsSync(join(folder, "made")) && !existsSync(mark));
});

test("each run begins on the machine as it is, without the run before", async (t) => {
  const { file, shown, ran, write, read } = scene(t);
  await write("first\n");
  ran();
  assert.equal(await read(), "old\n");
  writeFileSync(file, "by hand\n");
  await write("first\n");
  ran();
  assert.deepEqual(
    shown.map(({ noted }) => noted.files[0]?.before),
    ["old\n", "by hand\n"],
  );
});

test("a result is shown again only after another one", async (t) => {
  const { shown, ran, write } = scene(t);
  for (const text of ["a\n", "a\n", "b\n", "b\n", "a\n"]) {
    await write(text);
    ran();
  }
  assert.deepEqual(
    shown.map(({ noted }) => noted.files[0]?.after),
    ["a\n", "b\n", "a\n"],
  );
});

test("other retained rows are another result, each with its reason", (t) => {
  const { rows, shown, ran } = scene(t);
  ran();
  rows.write({ kind: "rows", rows: [["k1", refusedCell("two claim it")]], staged: false }, 0);
  ran();
  ran();
  assert.deepEqual(
    shown.map(({ retained, retainedCount }) => [retained, retainedCount]),
    [
      [[], 0],
      [[{ key: "k1", why: "refused: two claim it" }], 1],
    ],
  );
});

test("of more than a hundred retained rows the number is shown", (t) => {
  const { rows, shown, ran } = scene(t);
  const refused = Array.from({ length: 150 }, (_, n): [string, string] => [`k${n}`, refusedCell("no owner")]);
  rows.write({ kind: "rows", rows: [...refused, ["good", row("good", "10.0.0.1")]], staged: false }, 0);
  ran();
  assert.deepEqual([shown[0]?.retained.length, shown[0]?.retainedCount], [100, 150]);
});

test("a service with secret columns is marked, so that no content is shown", async (t) => {
  const definition = service({
    ...{ row: z.object({ name: z.string(), password: z.string() }), secret: ["password"] },
    ...{ select: () => undefined, run: async () => {} },
  }) as unknown as Service;
  const { shown, ran, write } = scene(t, definition);
  await write("password\n");
  ran();
  assert.equal(shown[0]?.secret, true);
});

test("a service that the host does not have changes nothing, and shows nothing", async (t) => {
  const { file, shown, dry } = scene(t);
  const machine = dry.machineOf("other");
  assert.ok(machine.dry);
  await machine.files.write(file, "new\n");
  dry.ran?.("other");
  assert.equal(readFileSync(file, "utf8"), "old\n");
  assert.deepEqual(shown, []);
});

test("dry hosts have a state of their own, and no broker, key or wave", () => {
  const hosts = { a: ["event", "dhcp"], b: ["dhcp"] };
  const config = readConfig(
    {
      ...{ broker: { url: "amqps://trigger@mq" }, directory: { ldif: "a.ldif" }, hosts },
      waves: { dhcp: { order: [["a"], ["b"]] } },
    },
    "trigger.config.ts",
  );
  const project: Project = {
    ...{ folder: "/campus", configFile: "/campus/trigger.config.ts", config },
    ...{ ldifFile: "/campus/a.ldif", state: "/campus/.trigger" },
  };
  const dry = dryProject(project);
  assert.equal(dry.state, "/campus/.trigger/dry");
  assert.deepEqual([dry.config.broker, dry.config.signing, dry.config.waves], [undefined, undefined, {}]);
  const { broker, signing, waves, ...others } = config;
  assert.ok(broker !== undefined && waves !== undefined);
  assert.deepEqual(dry, {
    ...project,
    state: dry.state,
    config: { ...others, broker: undefined, signing: undefined, waves: {} },
  });
});
