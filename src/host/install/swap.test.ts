import assert from "node:assert/strict";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { emptyStore } from "../../../test/fixtures/empty-store.ts";
import { standingClock } from "../../../test/fixtures/install.ts";
import { type FileStep, type SwappingUser, swappingUser, watchingFiles } from "../../../test/fixtures/swapping-user.ts";
import type { InstallSteps } from "../../core/service/host-api.ts";
import { reason } from "../../core/util/errors.ts";
import { realMachine } from "../../machines/real.ts";
import { hostApi } from "../run/host-api.ts";
import { hostStore } from "../store/host-store.ts";

/** A daemon's user exchanges what is in his folder, before each single call of the file system that an install makes there. */

const skip = process.getuid?.() === 0 ? false : "only root can give folders to another user";
const user = 61_004;

/** A folder of the user in which trigger has installed two files, one of which he edited. */
async function scene(t: TestContext, owned: { uid: number; gid: number; mode: number }) {
  const top = fs.mkdtempSync(join(tmpdir(), "trigger-swap-"));
  fs.chmodSync(top, 0o755);
  t.after(() => fs.rmSync(top, { recursive: true, force: true }));
  const path = (...names: string[]): string => join(top, ...names);
  fs.mkdirSync(path("secret"), { mode: 0o700 });
  fs.writeFileSync(path("secret", "shadow"), "root:hash\n", { mode: 0o600 });
  fs.writeFileSync(path("who"), "");
  fs.chmodSync(path("who"), 0o666);
  for (const folder of [path("theirs"), path("theirs", "inner")]) {
    fs.mkdirSync(folder);
    fs.chownSync(folder, owned.uid, owned.gid);
    fs.chmodSync(folder, owned.mode);
  }
  const said: string[] = [];
  const [database, clock] = [emptyStore(), standingClock()];
  const conf = path("theirs", "inner", "conf");
  const install = async (text: string, steps: InstallSteps = {}, more: readonly string[] = []): Promise<void> => {
    clock.advance(60_000);
    const { host, blocked } = hostApi({
      ...{ name: "box", store: hostStore(database).service("demo"), clock, secret: false },
      machine: realMachine({ scratch: path("state", "scratch"), kept: path("state", "kept") }),
      signal: new AbortController().signal,
      log: (line) => void said.push(line),
    });
    const files = [conf, ...more].map((file) => ({ path: file, text }));
    await host.install(files, { check: ["sh", "{staged}"], all: true, ...steps });
    said.push(blocked() ?? "");
  };
  fs.mkdirSync(path("state"), { mode: 0o700 });
  await install(": v1\n", {}, [path("theirs", "inner", "extra")]);
  return { path, said, install };
}
type Scene = Awaited<ReturnType<typeof scene>>;

/** Each exchange, and how it is taken back. */
const evil = (who: string, at = "inner/conf"): string =>
  `open(F, ">", "inner/new"); print F "id -u >> ${who}\\n"; close F; rename "inner/new", "${at}" or die;`;
const swaps: Record<string, readonly [there: (scene: Scene) => string, back: string]> = {
  "a link to a secret": [
    () => 'rename "inner/conf", "inner/old"; symlink "../../secret/shadow", "inner/conf" or die;',
    'unlink "inner/conf"; rename "inner/old", "inner/conf";',
  ],
  "a program": [({ path }) => evil(path("who")), ""],
  "a FIFO": [() => 'unlink "inner/conf"; mkfifo("inner/conf", 0666) or die;', 'unlink "inner/conf";'],
  "a second name of a secret": [
    // Root makes it here: a kernel with fs.protected_hardlinks lets no user do so.
    ({ path }) => {
      fs.linkSync(path("secret", "shadow"), path("theirs", "hard"));
      return 'rename "hard", "inner/conf" or die;';
    },
    'unlink "inner/conf";',
  ],
  "a folder in place of .trigger": [
    () => 'rename "inner/.trigger", "inner/away"; mkdir "inner/.trigger", 0777 or die;',
    'rename "inner/.trigger", "inner/mine"; rename "inner/away", "inner/.trigger";',
  ],
  "a link in place of .trigger": [
    () => 'rename "inner/.trigger", "inner/away"; symlink "../../secret", "inner/.trigger" or die;',
    'unlink "inner/.trigger"; rename "inner/away", "inner/.trigger";',
  ],
  "another folder": [
    ({ path }) => `rename "inner", "away"; mkdir "inner", 0777 or die; mkdir "inner/.trigger"; ${evil(path("who"))}`,
    'rename "inner", "his"; rename "away", "inner";',
  ],
  "a link to another folder": [
    () => 'rename "inner", "away"; symlink "../secret", "inner" or die;',
    'unlink "inner"; rename "away", "inner";',
  ],
};

/** Plays one install during which the user exchanges something before the step `at`; true if there is such a step. */
async function play(
  t: TestContext,
  owned: { uid: number; gid: number; mode: number },
  {
    at,
    swap,
    isBrief,
  }: { at: number; swap: (user: SwappingUser, scene: Scene, back: boolean) => Promise<void>; isBrief: boolean },
): Promise<boolean> {
  const set = await scene(t, owned);
  const { path, said, install } = set;
  await using them = await swappingUser(user, path("theirs"));
  await them.does(
    'open(F, ">", "inner/edit"); print F ": edited\\n"; close F; rename "inner/edit", "inner/conf" or die;',
  );
  const secret = fs.statSync(path("secret", "shadow")).ino;
  const wrong: string[] = [];
  let seen = 0;
  const before = async ({ call, path: touched, inode }: FileStep): Promise<void> => {
    const outside = inode === secret && !/^(stat|chmod|chown) /.test(call);
    // Noted, and not thrown: an install outlives the errors of one file.
    if (outside || touched.startsWith(path("secret"))) wrong.push(`${call} of ${touched}, step ${seen}`);
    if (!touched.startsWith(path("theirs"))) return;
    seen += 1;
    if (seen === at) await swap(them, set, false);
    if (isBrief && seen === at + 1) await swap(them, set, true);
    // What root puts into a folder of his, he replaces at once.
    if (seen > at)
      await them.does(`for my $staged (glob "inner/.trigger/*") { ${evil(path("who"), "$staged")} }`).catch(() => {});
  };
  let reloads = 0;
  const broken: InstallSteps = {
    async reload() {
      reloads += 1;
      if (reloads === 1) throw new Error("refused");
    },
  };
  await watchingFiles(before, () => install(": v2\n", broken)).catch((error) => said.push(reason(error)));
  assert.deepEqual(wrong, []);
  assert.deepEqual(fs.readdirSync(path("secret")), ["shadow"]);
  const { mode, uid } = fs.statSync(path("secret", "shadow"));
  assert.deepEqual([fs.readFileSync(path("secret", "shadow"), "utf8"), mode & 0o7777, uid], ["root:hash\n", 0o600, 0]);
  assert.doesNotMatch(fs.readFileSync(path("who"), "utf8"), /^0$/m, "root ran what the user wrote");
  assert.doesNotMatch(said.join("\n"), /root:hash/);
  for (const name of fs.globSync(path("{theirs,state}", "**")).filter((one) => fs.lstatSync(one).isFile())) {
    if (fs.statSync(name).ino !== secret) assert.doesNotMatch(fs.readFileSync(name, "utf8"), /root:hash/, name);
  }
  return seen >= at;
}

for (const [whose, owned, stride] of [
  ["of the user", { uid: user, gid: user, mode: 0o755 }, 4],
  ["of root, writable for his group", { uid: 0, gid: user, mode: 0o2775 }, 7],
] as const) {
  test(`what a user exchanges at any step in a folder ${whose} leads nowhere`, {
    skip,
    timeout: 300_000,
  }, async (t) => {
    const kinds = Object.values(swaps);
    let plays = 0;
    for (let at = 1; ; at += stride) {
      const [there, back] = kinds[plays % kinds.length] ?? ["", ""];
      plays += 1;
      const swap = (them: SwappingUser, set: Scene, isBack: boolean) =>
        them.does(isBack ? back : typeof there === "string" ? there : there(set));
      if (!(await play(t, owned, { at, swap, isBrief: plays % 2 === 0 }))) break;
    }
    t.diagnostic(`${plays} exchanges`);
    assert.ok(plays > 30, `${plays} exchanges`);
  });
}
