import assert from "node:assert/strict";
import {
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { test } from "node:test";
import { sayHold } from "../../src/host/store/retained.ts";
import { laptop, ldif, makeProject, printer } from "../project.ts";
import { until } from "../until.ts";

/** A file for each row, of those whose name `takes` has; `file` is its name in a folder of the row. */
const keys = (takes: string, file = ""): string => `
import { fileURLToPath } from "node:url";
import { files, Hostname, Ip, z } from "trigger";
const out = (name) => fileURLToPath(new URL(\`../out/\${name}\`, import.meta.url));
export default files({
  row: z.object({ name: Hostname, ip: Ip }),
  unique: ["name", "ip"],
  pace: 50,
  select: (host) => (host.is("ipHost") ? { name: host.name, ip: host.one("ipHostNumber") } : undefined),
  files: (rows) => [...rows].filter(({ name }) => ${takes}.test(name)).map(({ name, ip }) => ({ path: out(\`keys/\${name}${file}\`), text: \`key of \${ip}\\n\` })),
  reload: ["sh", "-c", \`echo reloaded >> \${out("reloads")}\`],
});
`;

test("the file of a removed row is removed; plan, diff and verify show it", async (t) => {
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
  // In a process of its own: this one has applied the service as it was before.
  const diff = await project.spawn(["diff", "keys"]).ended;
  assert.equal(diff.code, 1);
  assert.equal(diff.out.match(/^ *\+\+\+ \/dev\/null$/gm)?.length, 4, diff.out);
  const status = await trigger(["status"]);
  const detail = "4 files that are not wanted any more would be removed, at most 1 without approval";
  const held = sayHold({ by: "conflict", detail });
  assert.ok(status.out.includes(`held: ${held}; \``), `one went: ${status.out}`);
  const wrong = await trigger(["approve", "keys", "00000000"]);
  assert.ok(
    wrong.out.includes(
      `nothing waits under 00000000; 4 files or records still wait: \`trigger approve keys ${digest}\`\n`,
    ),
    wrong.out,
  );
  assert.doesNotMatch(status.out + wrong.out, /did not write/);
  const verify = await trigger(["verify"]);
  assert.match(verify.out, /^box keys: the daemon: differs \(4 in files\)/m);
  assert.equal((await trigger(["approve", "keys", digest ?? ""])).code, 0);
  await named("printer");
  await until(async () => (await trigger(["status"])).code === 0);
  assert.equal((await project.spawn(["diff", "keys"]).ended).out, "box keys: the same\n");
});

test("a user's symlink leaves with his row; a blocked path is reported until free", {
  skip: process.getuid?.() === 0 ? false : "only root can give folders to another user",
}, async (t) => {
  const user = 61_003;
  const project = makeProject(t, {
    hosts: { box: ["keys"], civet: ["event"] },
    files: {
      "services/keys.ts": keys("/./", "/authorized_keys"),
      "directory.ldif": ldif([printer, laptop, { name: "old", ip: "192.0.2.100" }]),
    },
  });
  const { trigger, write, read, path } = project;
  const homeOf = (name: string): string => path(`out/keys/${name}`);
  for (const name of ["laptop", "printer", "old"]) {
    mkdirSync(homeOf(name), { recursive: true });
    chownSync(homeOf(name), user, user);
  }
  const up = project.spawn(["up", "--all"]);
  const stands = (what: () => unknown): Promise<unknown> =>
    until(what, { within: 60_000 }).catch((error) => {
      throw new Error(`${error.message}\n${up.said()}`);
    });
  const file = `${homeOf("laptop")}/authorized_keys`;
  await stands(() => read("out/keys/old/authorized_keys") && read("out/keys/laptop/authorized_keys"));
  await stands(async () => (await trigger(["status"])).code === 0);

  rmSync(file);
  write("out/keys/laptop/mine", "my own key\n");
  symlinkSync("mine", file);
  lchownSync(file, user, user);
  const plan = await trigger(["diff", "keys", "--host", "box"]);
  assert.match(plan.out, new RegExp(`${file}`));
  assert.match(plan.out, /\+key of 192\.0\.2\.11/);
  write("directory.ldif", ldif([printer, { name: "old", ip: "192.0.2.100" }]));
  await stands(() => !lstatSync(file, { throwIfNoEntry: false }));
  assert.equal(read("out/keys/laptop/mine"), "my own key\n");
  await stands(async () => (await trigger(["status"])).code === 0);

  renameSync(homeOf("old"), path("out/keys/real"));
  symlinkSync("real", homeOf("old"));
  chownSync(path("out/keys"), user, user);
  lchownSync(homeOf("old"), user, user);
  write("directory.ldif", ldif([{ ...printer, ip: "192.0.2.99" }]));
  const blocked = /failing: cannot be replaced or removed: .*old\/authorized_keys \(.* is a symlink .*namei -l/;
  await stands(async () => blocked.test((await trigger(["status"])).out));
  assert.match(read("out/keys/printer/authorized_keys") ?? "", /192\.0\.2\.99/);
  assert.equal((await trigger(["status"])).code, 2);
  const verified = await trigger(["verify"]);
  assert.equal(verified.code, 1);
  assert.match(verified.out, /old\/authorized_keys/);

  rmSync(homeOf("old"));
  renameSync(path("out/keys/real"), homeOf("old"));
  await stands(() => !existsSync(`${homeOf("old")}/authorized_keys`));
  await stands(async () => (await trigger(["status"])).code === 0);
});
