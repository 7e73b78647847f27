import assert from "node:assert/strict";
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeProject } from "../../project.ts";
import { until } from "../../until.ts";

const skip = process.getuid?.() === 0 ? false : "only root can give directories away";

const directory = ["alice", "bob", "carol"].reduce(
  (text, name, index) =>
    `${text}\ndn: uid=${name},dc=campus,dc=example\nobjectClass: account\nobjectClass: posixAccount\nuid: ${name}\ncn: ${name}\nuidNumber: ${41000 + index}\ngidNumber: 41000\nhomeDirectory: BASE/${name}\n`,
  "version: 1\n\ndn: dc=campus,dc=example\nobjectClass: domain\ndc: campus\n",
);

test("diff shows homes removed or given away by root, and regen repairs them alone", {
  skip,
}, async (t) => {
  const base = mkdtempSync(join(tmpdir(), "trigger-homes-"));
  chmodSync(base, 0o755);
  t.after(() => rmSync(base, { recursive: true, force: true }));
  const service = (options: object) =>
    `import { homes } from "trigger";\nexport default homes(${JSON.stringify({ base, ...options })});\n`;
  const project = makeProject(t, {
    hosts: { box: ["homes"], civet: ["event"] },
    files: { "services/homes.ts": service({}), "directory.ldif": directory.replaceAll("BASE", base) },
  });
  const { trigger } = project;
  const up = project.spawn(["up", "--all"]);
  const home = (name: string) => join(base, name);
  const owners = () =>
    ["alice", "bob", "carol"].map((name) => {
      const { uid, gid } = statSync(home(name), { throwIfNoEntry: false }) ?? {};
      return `${uid}:${gid}`;
    });
  const whole = ["41000:41000", "41001:41000", "41002:41000"];
  await until(() => owners().join() === whole.join(), { within: 20_000 });
  await until(async () => (await trigger(["status"])).code === 0);
  assert.equal((await trigger(["diff", "homes"])).out, "box homes: the same\n");

  rmSync(home("alice"), { recursive: true });
  chownSync(home("bob"), 0, 0);
  const { mtimeMs } = statSync(home("carol"));
  const { code, out } = await trigger(["diff", "homes"]);
  assert.equal(code, 1);
  assert.match(out, new RegExp(`missing .*"${home("alice")}"`));
  assert.match(out, new RegExp(`extra .*"gid":"0","home":"${home("bob")}","uid":"0"`));
  assert.deepEqual(owners(), ["undefined:undefined", "0:0", "41002:41000"]);
  assert.equal((await trigger(["regen", "homes"])).code, 0);
  await until(() => owners().join() === whole.join());
  await until(async () => (await trigger(["diff", "homes"])).out === "box homes: the same\n");
  assert.equal(statSync(home("carol")).mtimeMs, mtimeMs);

  // Few test machines have a kernel with disk quotas: what is tried is that their absence is said.
  await up.end("SIGTERM");
  project.write("services/homes.ts", service({ quota: { space: "10G" } }));
  project.spawn(["up", "--all"]);
  const said = /the homes have no quota: the file system of .* has no quota enabled/;
  await until(async () => said.test((await trigger(["status"])).out), { within: 20_000 });
  assert.ok(existsSync(home("alice")));
});
