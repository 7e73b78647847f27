import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { laptop, ldif, makeProject, printer } from "../../project.ts";
import { until } from "../../until.ts";

// A whole trigger, from the directory to the kernel: the host's store, its debts, and what an operator sees.

const name = `trg-${process.pid}-project`;
const nft = (...words: string[]): string =>
  execFileSync("ip", ["netns", "exec", name, "nft", ...words], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

const rules = "chain members {\n  ip saddr @allowed return\n  drop\n}";
const gate = (path: string): string => `
import { nftables } from "trigger";
export default nftables({
  rules: ${JSON.stringify(rules)},
  sets: { allowed: { type: "ipv4_addr", columns: ["ip"] } },
  select: (host) => (host.is("ipHost") ? { ip: host.one("ipHostNumber") } : undefined),
  path: ${JSON.stringify(path)},
  nft: ["ip", "netns", "exec", "${name}", "nft"],
});
`;

test("an unreachable kernel is waited for; diff shows hand edits and regen repairs them", async (t) => {
  t.after(() => execFileSync("ip", ["netns", "del", name], { stdio: "ignore" }));
  const project = makeProject(t, { hosts: { box: ["gate"], civet: ["event"] } });
  const path = project.path("out/gate.nft");
  project.write("services/gate.ts", gate(path));
  const up = project.spawn(["up", "--all"]);
  const status = async (): Promise<string> => (await project.trigger(["status"])).out;
  await until(async () => (await status()).includes("does not reach the kernel"), { within: 20_000 }).catch((error) => {
    throw new Error(`${error.message}\n${up.said()}`);
  });

  execFileSync("ip", ["netns", "add", name]);
  const began = performance.now();
  const has = (elements: string): boolean => {
    try {
      return nft("list", "set", "inet", "trigger", "allowed").includes(`elements = { ${elements} }`);
    } catch {
      return false; // there is no such table yet
    }
  };
  await until(() => has("192.0.2.10, 192.0.2.11"));
  t.diagnostic(`applied ${(performance.now() - began).toFixed(0)} ms after the kernel could be reached`);
  await until(async () => (await project.trigger(["status"])).code === 0);
  assert.match(await status(), /gate .* yes /, "it is serving");

  project.write("directory.ldif", ldif([printer, { ...laptop, ip: "192.0.2.12" }]));
  await until(() => has("192.0.2.10, 192.0.2.12"));
  await until(async () => (await project.trigger(["status"])).code === 0);
  const same = await project.trigger(["diff", "gate"]);
  assert.deepEqual([same.code, same.out], [0, "box gate: the same\n"], same.err);

  nft("delete", "element", "inet", "trigger", "allowed", "{ 192.0.2.12 }");
  nft("add", "element", "inet", "trigger", "allowed", "{ 192.0.2.66 }");
  const drift = await project.trigger(["diff", "gate"]);
  assert.equal(drift.code, 1, drift.out);
  assert.match(drift.out, /missing {2}\{"ip":"192.0.2.12"\}/);
  assert.match(drift.out, /extra {4}\{"ip":"192.0.2.66"\}/);
  await project.trigger(["regen", "gate"]);
  await until(() => has("192.0.2.10, 192.0.2.12"));

  nft("flush", "ruleset");
  assert.match((await project.trigger(["diff", "gate"])).out, /missing/);
  project.write("directory.ldif", ldif([printer]));
  await until(() => has("192.0.2.10"));
  // The file for the boot is written behind the kernel.
  await until(async () => (await project.trigger(["status"])).code === 0);
  await until(() => {
    nft("delete", "table", "inet", "trigger");
    nft("-f", path);
    return has("192.0.2.10");
  });
});
