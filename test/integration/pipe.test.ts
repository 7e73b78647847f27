import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { test } from "node:test";
import { withFiles } from "../../src/daemon/directory.ts";
import { makeProject } from "../project.ts";
import { until } from "../until.ts";

test("a directory that is a named pipe is refused with advice, at once", async (t) => {
  const project = makeProject(t);
  rmSync(project.path("directory.ldif"));
  execFileSync("mkfifo", [project.path("directory.ldif")]);
  const tried = project.spawn(["try", "names"]);
  await until(tried.over, { within: 30_000 });
  const { code, err } = await tried.ended;
  assert.equal(code, 2);
  assert.match(err, /^trigger try: .*directory\.ldif is a named pipe, and is not read: put a regular file, /);
});

test("a pipe in place of a password, key or key list is refused", async (t) => {
  const names = ["broker.password", "ldap.password", "sign.key", "trust"] as const;
  const config = {
    broker: { url: "amqps://box@127.0.0.1:1", passwordFile: "broker.password" },
    directory: { url: "ldapi://%2Fnowhere", base: "dc=x", bindDn: "cn=x", passwordFile: "ldap.password" },
    signing: { key: "sign.key", trust: ["trust"] },
    hosts: { box: ["names"], civet: ["event"] },
  };
  const project = makeProject(t, {
    files: {
      "trigger.config.ts": `import { defineConfig } from "trigger";
export default defineConfig(${JSON.stringify(config)});\n`,
    },
  });
  const [broker, ldap, key, trust] = names.map((name) => project.path(name)) as [string, string, string, string];
  execFileSync("mkfifo", [broker, ldap, key]);
  const listening = createServer().listen(trust);
  t.after(() => listening.close());
  for (const words of [
    ["check", "--all"],
    ["key", key],
  ]) {
    const run = project.spawn(words);
    await until(run.over, { within: 30_000 });
    const { code, out, err } = await run.ended;
    assert.notEqual(code, 0);
    const remedy = "and is not read: put a regular file, or a link to one, in its place";
    const told = (line: string): void =>
      assert.ok(`${out}${err}`.includes(`${line}, ${remedy}`), `${line}\n${out}${err}`);
    if (words[0] === "key") told(`${key} is a named pipe`);
    else {
      told(`broker.passwordFile: ${broker} is a named pipe`);
      told(`directory.passwordFile: ${ldap} is a named pipe`);
      told(`signing.key: ${key} is a named pipe`);
      told(`signing.trust: ${trust} is a socket`);
    }
  }
});

test("a password given as an operand of a command may be a pipe", (t) => {
  const { path, folder } = makeProject(t);
  execFileSync("mkfifo", [path("pipe")]);
  const writer = spawn("sh", ["-c", `echo s3cret > ${path("pipe")}`], { stdio: "ignore" });
  t.after(() => writer.kill());
  const directory = { url: "ldapi://%2Fnowhere", base: "dc=x", bindDn: "cn=x", passwordFile: "pipe" };
  assert.equal(withFiles(directory, folder, { piped: true }).password, "s3cret");
});
