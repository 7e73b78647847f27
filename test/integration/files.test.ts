import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { laptop, ldif, makeProject, printer } from "../project.ts";
import { until } from "../until.ts";

/** A file for each row, of those whose name `takes` has. */
const keys = (takes: string): string => `
import { fileURLToPath } from "node:url";
import { files, Hostname, Ip, z } from "trigger";
const out = (name) => fileURLToPath(new URL(\`../out/\${name}\`, import.meta.url));
export default files({
  row: z.object({ name: Hostname, ip: Ip }),
  unique: ["name", "ip"],
  pace: 50,
  select: (host) => (host.is("ipHost") ? { name: host.name, ip: host.one("ipHostNumber") } : undefined),
  files: (rows) => [...rows].filter(({ name }) => ${takes}.test(name)).map(({ name, ip }) => ({ path: out(\`keys/\${name}\`), text: \`key of \${ip}\\n\` })),
  reload: ["sh", "-c", \`echo reloaded >> \${out("reloads")}\`],
});
`;

test("the file of a row that goes is removed, and shown by plan, diff and verify before it does", async (t) => {
  const more = Array.from({ length: 4 }, (_, n) => ({ name: `old${n}`, ip: `192.0.2.${100 + n}` }));
  const config = `import { defineConfig } from "trigger";
export default defineConfig({ directory: { ldif: "directory.ldif" }, hosts: { box: ["keys"], civet: ["event"] }, removals: { atMost: 2 } });\n`;
  const project = makeProject(t, {
    files: {
      "trigger.config.ts": config,
      "services/keys.ts": keys("/./"),
      "directory.ldif": ldif([printer, laptop, ...more]),
      "new.ldif": ldif([printer, ...more]),
    },
  });
  const { trigger, write, read, path } = project;
  const there = (): string[] => (existsSync(path("out/keys")) ? readdirSync(path("out/keys")) : []);
  const named = (...names: string[]): Promise<void> =>
    until(() => there().join() === [".trigger", ...names].sort().join(), { within: 60_000 }).catch((error) => {
      throw new Error(`${error.message}\n${there()}\n${up.said()}`);
    });
  let up = project.spawn(["up", "--all"]);
  const olds = more.map(({ name }) => name);
  await named("laptop", "printer", ...olds);

  const plan = await trigger(["plan", "new.ldif"]);
  assert.match(plan.out, /--- .*out\/keys\/laptop\n\+\+\+ \/dev\/null\n(.*\n)*?-key of 192\.0\.2\.11/);
  write("directory.ldif", ldif([printer, ...more]));
  await named("printer", ...olds);
  await until(async () => (await trigger(["status"])).code === 0);
  assert.equal(read("out/reloads"), "reloaded\nreloaded\n", "once for all at first, and once for the one that goes");

  // No row goes, and the service gives fewer files: with the one that went, more than may go within an hour.
  await up.end("SIGTERM");
  write("services/keys.ts", keys("/^p/"));
  up = project.spawn(["up", "--all"]);
  let digest: string | undefined;
  await until(
    async () => {
      digest = /trigger approve keys ([0-9a-f]{8})/.exec((await trigger(["status"])).out)?.[1];
      return digest;
    },
    { within: 60_000 },
  );
  assert.equal(there().length, 6);
  // In a process of its own: this one has loaded the service as it was before.
  const diff = await project.spawn(["diff", "keys"]).ended;
  assert.equal(diff.code, 1);
  assert.equal(diff.out.match(/^ *\+\+\+ \/dev\/null$/gm)?.length, 4, diff.out);
  const status = await trigger(["status"]);
  assert.match(
    status.out,
    /held: 4 files that are not given any more would be removed, at most 1 may unasked; `/,
    "one went",
  );
  const wrong = await trigger(["approve", "keys", "00000000"]);
  assert.match(wrong.out, /^ {2}box: 4 files .* would be removed, .*: `trigger approve keys [0-9a-f]{8}`$/m);
  assert.doesNotMatch(status.out + wrong.out, /did not write/);
  const verify = await trigger(["verify"]);
  assert.match(verify.out, /^box keys: the daemon: differs \(4 in files\)/m);
  assert.equal((await trigger(["approve", "keys", digest ?? ""])).code, 0);
  await named("printer");
  await until(async () => (await trigger(["status"])).code === 0);
  assert.equal((await project.spawn(["diff", "keys"]).ended).out, "box keys: the same\n");
});
