import assert from "node:assert/strict";
import { test } from "node:test";
import { laptop, ldif, makeProject, printer } from "../project.ts";
import { until } from "../until.ts";
import { configText } from "./machines.fixture.ts";

const within = 120_000;
/** A service that the first host cannot bring into force when a machine of the directory is named `bad`. */
const names = `
import { fileURLToPath } from "node:url";
import { files, Hostname, Ip, z } from "trigger";
export default files({
  row: z.object({ name: Hostname, ip: Ip }),
  pace: 50,
  select: (host) => (host.is("ipHost") ? { name: host.name, ip: host.one("ipHostNumber") } : undefined),
  files(rows, host) {
    if (host.name === "ns1" && [...rows].some(({ name }) => name === "bad")) throw new Error("bad is no name for a zone");
    const path = fileURLToPath(new URL(\`../out/\${host.name}/names\`, import.meta.url));
    return { path, text: [...rows].map(({ name, ip }) => \`\${name} \${ip}\\n\`).join("") };
  },
});
`;

test("a change passes wave by wave; one that fails waits for correction or approval", async (t) => {
  const hosts = { civet: ["event"], ns1: ["names"], ns2: ["names"] };
  const waves = { names: { order: [["ns1"], ["ns2"]], within: 3_600 } };
  const config = configText({ directory: { ldif: "directory.ldif" }, hosts, waves });
  const project = makeProject(t, { files: { "trigger.config.ts": config, "services/names.ts": names } });
  const up = project.spawn(["up", "--all"]);
  const served = (host: string) => project.read(`out/${host}/names`)?.trim().split("\n").sort().join(" ");
  const serves = (host: string, text: string) =>
    until(() => served(host) === text, { within }).catch((error) => assert.fail(`${error}\n${up.said()}`));
  const status = () => project.trigger(["status"]);
  const first = "laptop 192.0.2.11 printer 192.0.2.10";
  for (const host of ["ns1", "ns2"]) await serves(host, first);

  project.write("directory.ldif", ldif([printer]));
  for (const host of ["ns1", "ns2"]) await serves(host, "printer 192.0.2.10"); // an hour would be too long for this test

  const bad = { name: "bad", ip: "192.0.2.66" };
  project.write("directory.ldif", ldif([printer, bad]));
  const reason = /^ns2 +names .* late: waits for ns1: .*bad is no name for a zone/m;
  await until(async () => reason.test((await status()).out), { within }).catch(async (error) =>
    assert.fail(`${error}\n${(await status()).out}`),
  );
  assert.equal(served("ns2"), "printer 192.0.2.10");
  project.write("directory.ldif", ldif([printer, laptop]));
  for (const host of ["ns1", "ns2"]) await serves(host, first);
  await until(async () => (await status()).code === 0, { within }); // what was said of the last one is not said any more

  project.write("directory.ldif", ldif([printer, bad]));
  await until(async () => reason.test((await status()).out), { within });
  assert.equal((await project.trigger(["approve", "names", "--host", "ns2"])).code, 0);
  await serves("ns2", "bad 192.0.2.66 printer 192.0.2.10");
  assert.equal(served("ns1"), first);
});
