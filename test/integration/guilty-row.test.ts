import assert from "node:assert/strict";
import { test } from "node:test";
import { laptop, ldif, makeProject, printer } from "../project.ts";
import { until } from "../until.ts";

const within = 60_000;

const names = `
import { fileURLToPath } from "node:url";
import { files, Hostname, Ip, z } from "trigger";
export default files({
  row: z.object({ name: Hostname, ip: Ip }),
  unique: ["name", "ip"],
  pace: 50,
  select: (host) => (host.is("ipHost") ? { name: host.name, ip: host.one("ipHostNumber") } : undefined),
  files: (rows, host) => ({
    path: fileURLToPath(new URL(\`../out/\${host.name}/names\`, import.meta.url)),
    text: [...rows].map(({ name, ip }) => \`\${name} \${ip}\\n\`).join(""),
  }),
  check: ["awk", "/bad/ { print \\"a bad name\\"; exit 1 }", "{staged}"],
});
`;

test("an entry that the checker refuses keeps no other waiting, is listed with its words, and goes in when it is mended", async (t) => {
  const bad = { name: "bad", ip: "192.0.2.66" };
  const files = { "services/names.ts": names, "directory.ldif": ldif([printer, bad]) };
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
  assert.match(await status(), /cn=bad,\S+: refused by the check: awk exited 1: a bad name; it has no row/);
  project.write("directory.ldif", ldif([printer, { ...bad, name: "good" }]));
  await until(() => lines() === "good 192.0.2.66,printer 192.0.2.10", { within });
});
