import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { makeProject } from "../../test/project.ts";

/** A project with these files and hosts, and `check` of it with the folder's name taken out. */
function projectOf(t: TestContext, files: Record<string, string> = {}) {
  const project = makeProject(t, { files, hosts: { box: ["names"], gate: ["note"], civet: ["event"] } });
  const check = async (...words: string[]) => {
    const { code, out, err } = await project.trigger(["check", ...words]);
    const short = (text: string): string =>
      text.replaceAll(`file://${project.folder}/`, "").replaceAll(`${project.folder}/`, "");
    return { code, out: short(out), err: short(err) };
  };
  return { ...project, check };
}

const config = (more: string): string => `import { defineConfig } from "trigger";
export default defineConfig({ hosts: { box: ["names"], gate: ["note"], civet: ["event"] }, ${more} });\n`;

test("a project without a mistake passes, and nothing is started", async (t) => {
  const { check, path } = projectOf(t);
  assert.deepEqual(await check(), { code: 0, out: "nothing is wrong: the config and names, note\n", err: "" });
  const all = "nothing is wrong: the config and names, note, with the files of box, gate, civet\n";
  assert.deepEqual(await check("--all"), { code: 0, out: all, err: "" });
  assert.equal(existsSync(path(".trigger")), false);
});

test("a mistake in the config is reported with its file and word", async (t) => {
  const { check } = projectOf(t, { "trigger.config.ts": config("directry: {}") });
  const { code, out } = await check();
  assert.equal(code, 1);
  assert.match(out, /^trigger\.config\.ts: .*"?directry"?.*did you mean "directory"/);
});

test("each service with a mistake is listed", async (t) => {
  const files = { "services/names.ts": "export default {};", "services/note.ts": "throw new Error('no lamp');" };
  const { check } = projectOf(t, files);
  const { code, out } = await check();
  assert.equal(code, 1);
  assert.match(out, /^services\/names\.ts: its default export is not a service.*\nservices\/note\.ts: no lamp .*\n$/);
});

test("with --host only the files that this host reads are checked", async (t) => {
  const { check } = projectOf(t, { "services/note.ts": "export default {};", "directory.ldif": "dn: o=a\nnonsense\n" });
  assert.equal((await check("--host", "box")).code, 0);
  assert.match((await check("--host", "gate")).out, /^services\/note\.ts: /);
  const { code, out } = await check("--host", "civet");
  assert.equal(code, 1);
  assert.match(out, /^services\/note\.ts: .*\ntrigger\.config\.ts: .*directory\.ldif:2: /);
});

test("files that the config names and that are missing are listed for their hosts", async (t) => {
  const directory = `directory: { url: "ldaps://ldap.test", base: "o=a", bindDn: "cn=t", passwordFile: "own/ldap" }`;
  const broker = `broker: { url: "amqps://u@mq.test", passwordFile: "own/broker", ca: "own/ca" }`;
  const signing = `signing: { key: "own/sign", trust: ["own/trust"] }`;
  const { check } = projectOf(t, { "trigger.config.ts": config([directory, broker, signing].join(", ")) });
  assert.equal((await check()).code, 0);
  const named = ({ out }: { out: string }): string[] => [...out.matchAll(/'(own\/\w+)'/g)].map(([, file = ""]) => file);
  assert.deepEqual(named(await check("--host", "box")), ["own/broker", "own/trust"]);
  assert.deepEqual(named(await check("--host", "civet")), ["own/broker", "own/trust", "own/sign", "own/ldap"]);
});

test("a folder without a project and an unknown host exit with 2", async (t) => {
  const { check } = projectOf(t);
  assert.match((await check("-p", "services")).err, /services\/trigger\.config\.ts does not exist/);
  assert.equal((await check("-p", "services")).code, 2);
  const { code, err } = await check("--host", "bax");
  assert.equal(code, 2);
  assert.match(err, /unknown host "bax".*did you mean "box"/);
});
