import assert from "node:assert/strict";
import { test } from "node:test";
import { makeProject } from "../project.ts";
import { until } from "../until.ts";

/** A door that lets in the addresses of machines: refused rows are removed, at most 10 an hour without a question. */
const gate = (path: string) => `import { files, Ip, z } from "trigger";
export default files({
  row: z.object({ ip: Ip, owner: z.string() }),
  unique: ["ip"],
  refused: "remove",
  claims: (entry) => entry.dn.endsWith(",ou=servers,dc=campus,dc=example"),
  select: (machine) =>
    machine.is("ipHost")
      ? machine.all("ipHostNumber").map((ip) => ({ ip, owner: machine.name }))
      : undefined,
  files: (rows) => ({ path: ${JSON.stringify(path)}, text: [...rows].map((row) => \`\${row.ip} \${row.owner}\\n\`).join("") }),
});
`;
const machine = (name: string, ips: readonly string[], above = "ou=members") =>
  `dn: cn=${name},${above},dc=campus,dc=example\nobjectClass: device\nobjectClass: ipHost\ncn: ${name}\n${ips
    .map((ip) => `ipHostNumber: ${ip}\n`)
    .join("")}`;

test("a member who claims every address takes none, and holds back no revocation", async (t) => {
  const config = `import { defineConfig } from "trigger";
export default defineConfig({
  directory: { ldif: "directory.ldif" },
  hosts: { box: ["gate"], civet: ["event"] },
  removals: { atMost: 10, share: 0 },
});
`;
  const project = makeProject(t, { hosts: { box: ["gate"], civet: ["event"] } });
  const path = project.path("gate.list");
  project.write("trigger.config.ts", config);
  project.write("services/gate.ts", gate(path));
  const addresses = Array.from({ length: 300 }, (_, n) => `10.0.${n >> 8}.${n & 255}`);
  const honest = addresses.map((ip, n) => machine(`pc${n}`, [ip]));
  const router = machine("router", ["10.9.0.1"], "ou=servers");
  const write = (entries: readonly string[]) =>
    project.write(
      "directory.ldif",
      ["dn: dc=campus,dc=example\nobjectClass: domain\ndc: campus\n", ...entries].join("\n"),
    );
  write([...honest, router, machine("thief", ["10.9.0.9"])]);
  project.spawn(["up", "--all"]);
  const lines = (): string[] => (project.read("gate.list") ?? "").split("\n").filter((line) => line !== "");
  await until(() => lines().length === 302, { within: 20_000 });

  // In one change with the revocation of a machine, the thief claims all addresses.
  write([...honest.slice(1), router, machine("thief", ["10.9.0.9", "10.9.0.1", ...addresses])]);
  await until(() => !lines().includes("10.0.0.0 pc0"), { within: 20_000 });
  const status = async () => (await project.trigger(["status"])).out;
  await until(async () => /refused: ip: "10\.0\.0\.1" is claimed by/.test(await status()), { within: 20_000 });
  assert.ok(lines().includes("10.9.0.1 router"), "a blessed entry keeps its row");
  assert.deepEqual(lines().length, 302, "all others, and the address that is the thief's now, stay");
  assert.ok(lines().includes("10.0.0.0 thief"), "an address that no machine has any more is free");
  assert.doesNotMatch(await status(), /would be removed/);

  // Ten revocations an hour go on, as if nobody had claimed anything.
  write([...honest.slice(9), router, machine("thief", ["10.9.0.9", "10.9.0.1"])]);
  await until(() => !lines().some((line) => / pc[0-8]$/.test(line)), { within: 20_000 });
  assert.equal(lines().length, 293);
  assert.doesNotMatch(await status(), /would be removed/);
});
