import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { laptop, ldif, makeProject, printer } from "../project.ts";
import { until } from "../until.ts";

const within = 60_000;

test("up --dry shows the difference to the applied files, follows the directory, writes nothing", async (t) => {
  const project = makeProject(t, { files: { "out/box/names": "printer 192.0.2.10\n" } });
  const { said } = project.spawn(["up", "--all", "--dry"]);
  await until(() => said().includes("box: names would change:"), { within });
  assert.match(said(), /it follows, and shows what it would change, until it is stopped/);
  assert.match(
    said(),
    /out\/box\/names exists, but trigger did not write it: it would be held until its replacement is approved/,
  );
  await until(() => /^\+laptop 192\.0\.2\.11$/m.test(said()), { within });
  project.write("directory.ldif", ldif([printer, { ...laptop, ip: "192.0.2.77" }]));
  await until(() => said().includes("+laptop 192.0.2.77"), { within });
  assert.equal(project.read("out/box/names"), "printer 192.0.2.10\n");
  assert.deepEqual(readdirSync(project.path("out/box")), ["names"]);
});

test("up --dry reports no change once the foreign file has the same content", async (t) => {
  const project = makeProject(t, { files: { "out/box/names": "printer 192.0.2.10\n" } });
  const { said } = project.spawn(["up", "--host", "box", "--dry"]);
  await until(() => said().includes("box: names would change:"), { within });
  project.write("out/box/names", "laptop 192.0.2.12\nprinter 192.0.2.10\n");
  project.write("directory.ldif", ldif([printer, { ...laptop, ip: "192.0.2.12" }]));
  await until(() => said().includes("box: names would change nothing"), { within });
});

test("up --dry lists the rows that would be refused, and the reasons", async (t) => {
  const twin = { name: "twin", ip: printer.ip };
  const project = makeProject(t, { files: { "directory.ldif": ldif([printer, laptop, twin]) } });
  const { said } = project.spawn(["up", "--all", "--dry"]);
  await until(() => (said().match(/^would not apply .*\bip: .* is claimed by/gm) ?? []).length === 2, {
    within,
  });
});
