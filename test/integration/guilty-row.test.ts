import assert from "node:assert/strict";
import { test } from "node:test";
import { sayRetained } from "../../src/host/store/retained.ts";
import { laptop, ldif, makeProject, names, printer } from "../project.ts";
import { until } from "../until.ts";

const within = 60_000;

const check = 'check: ["awk", "/bad/ { print \\"a bad name\\"; exit 1 }", "{staged}"],';

test("an entry refused by the checker delays no other, and is installed once corrected", async (t) => {
  const bad = { name: "bad", ip: "192.0.2.66" };
  const files = { "services/names.ts": names(check), "directory.ldif": ldif([printer, bad]) };
  const project = makeProject(t, { hosts: { box: ["names"], civet: ["event"] }, files });
  const lines = () => (project.read("out/box/names") ?? "").trim().split("\n").sort().join();
  const status = async () => (await project.trigger(["status"])).out;
  project.spawn(["up", "--all"]);
  await until(() => lines() === "printer 192.0.2.10", { within });
  project.write(
    "directory.ldif",
    ldif([{ ...printer, ip: "192.0.2.12" }, laptop, bad, { name: "worse-bad", ip: "192.0.2.67" }]),
  );
  await until(() => lines() === "laptop 192.0.2.11,printer 192.0.2.12", { within });
  await until(async () => / 2 +0 +well, 2 refused/.test(await status()), { within });
  const why = sayRetained({ by: "check", detail: "awk exited 1: a bad name" }, undefined);
  assert.ok((await status()).includes(`: cn=bad,dc=campus,dc=example: ${why}; it has no row`), await status());
  project.write("directory.ldif", ldif([printer, { ...bad, name: "good" }]));
  await until(() => lines() === "good 192.0.2.66,printer 192.0.2.10", { within });
});
