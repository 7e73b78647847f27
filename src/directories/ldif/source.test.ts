import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFile, mkdir, mkdtemp, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { directoryContract, entryOf } from "../../../test/contracts/directory.ts";
import type { Clock } from "../../ports/clock.ts";
import type { SourceChange } from "../../ports/directory.ts";
import { ldifSource } from "./source.ts";
import { writeLdif } from "./write.ts";

for (const way of ["replaced", "rewritten in place"]) {
  directoryContract(`ldif, ${way}`, async (entries, clock) => {
    const folder = await mkdtemp(join(tmpdir(), "trigger-ldif-"));
    const file = join(folder, "campus.ldif");
    const fresh = way === "replaced" ? `${file}.new` : file;
    await writeFile(file, writeLdif(entries));
    return {
      // The test ends before a poll, so that only a report of the system helps.
      source: ldifSource({ file, clock, settleAfter: 40, every: 60_000 }),
      async hold(content) {
        await writeFile(fresh, writeLdif(content));
        if (fresh !== file) await rename(fresh, file);
      },
      break: () => (way === "replaced" ? rm(file) : writeFile(file, "dn: cn=a\nfirst\n")),
      close: () => rm(folder, { recursive: true }),
    };
  });
}

interface Scene {
  readonly file: string;
  /** Advances the clock by this number of milliseconds. */
  pass(milliseconds: number): void;
  readonly source: ReturnType<typeof ldifSource>;
  next(): Promise<SourceChange>;
  /** True if nothing is delivered during some more polls of the file. */
  silent(): Promise<boolean>;
}

/** A source that polls every 20 ms, and the number of its polls. */
async function withSource(
  body: (scene: Scene) => Promise<void>,
  { name = "campus.ldif", settleAfter = 40 } = {},
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "trigger-ldif-"));
  const file = join(folder, name);
  const stop = new AbortController();
  let sleeps = 0;
  let passed = 0;
  const clock: Clock = {
    now: () => Date.now(),
    monotonic: () => performance.now() + passed,
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        sleeps++;
        const timer = setTimeout(resolve, milliseconds);
        signal?.addEventListener("abort", () => resolve(clearTimeout(timer)));
      }),
  };
  const source = ldifSource({ file, clock, settleAfter, every: 20 });
  const changes = source.changes(stop.signal)[Symbol.asyncIterator]();
  let pending: Promise<IteratorResult<SourceChange>> | undefined;
  const take = (): Promise<IteratorResult<SourceChange>> => {
    pending ??= changes.next();
    return pending;
  };
  try {
    await body({
      file,
      source,
      pass(milliseconds) {
        passed += milliseconds;
      },
      async next() {
        const { value } = await take();
        pending = undefined;
        return value;
      },
      async silent() {
        const enough = sleeps + 10;
        let over = false;
        const looked = (async () => {
          while (sleeps < enough && !over) await new Promise((resolve) => setTimeout(resolve, 5));
          return true;
        })();
        const quiet = await Promise.race([take().then(() => false), looked]);
        over = true;
        return quiet;
      },
    });
  } finally {
    stop.abort();
    await pending;
    await changes.return?.();
    await rm(folder, { recursive: true });
  }
}

const names = (change: SourceChange): string[] | string =>
  change.kind === "refresh" ? change.entries.map(({ dn }) => dn.slice(3, 4)) : change.kind;
const why = (change: SourceChange): string => (change.kind === "trouble" ? change.why : change.kind);

test("a syntax error is reported once; the same good bytes heal it", () =>
  withSource(async ({ file, next, silent }) => {
    const good = writeLdif([entryOf("a")]);
    await writeFile(file, good);
    assert.deepEqual(names(await next()), ["a"]);
    await writeFile(file, `${good}nonsense\n`);
    const said = why(await next());
    assert.ok(said.startsWith(`${file}:7: `) && said.endsWith("; the last good content stays"), said);
    assert.ok(await silent());
    await utimes(file, 1, 1); // the same error in a file that seems new
    assert.ok(await silent());
    await writeFile(file, good);
    assert.deepEqual(names(await next()), ["a"]);
    assert.ok(await silent());
  }));

test("the same bytes again cause no delivery", () =>
  withSource(async ({ file, next, silent }) => {
    await writeFile(file, writeLdif([entryOf("a")]));
    await next();
    await writeFile(`${file}.new`, writeLdif([entryOf("a")]));
    await rename(`${file}.new`, file);
    assert.ok(await silent());
  }));

test("a missing file is trouble once, again if asked, until it comes", () =>
  withSource(
    async ({ file, source, next, silent }) => {
      assert.match(why(await next()), /cannot be read: ENOENT[^;]*$/);
      assert.ok(await silent());
      source.refresh();
      assert.match(why(await next()), /ENOENT/);
      await mkdir(dirname(file));
      await writeFile(file, writeLdif([entryOf("a")]));
      assert.deepEqual(names(await next()), ["a"]);
    },
    { name: "later/campus.ldif" },
  ));

test("a file that goes and returns unchanged is trouble, then content", () =>
  withSource(async ({ file, next }) => {
    await writeFile(file, writeLdif([entryOf("a")]));
    await next();
    await rename(file, `${file}.away`);
    assert.equal((await next()).kind, "trouble");
    await rename(`${file}.away`, file);
    assert.deepEqual(names(await next()), ["a"]);
  }));

test("a file that is being written is not read before it stands still", () =>
  withSource(
    async ({ file, next }) => {
      await writeFile(file, writeLdif([entryOf("a")]));
      await next();
      const content = [..."bcdefgh"].map((name) => entryOf(name));
      const news = next(); // it is waiting already
      await writeFile(file, "");
      for (const entry of content) {
        await appendFile(file, writeLdif([entry]).slice("version: 1\n".length));
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
      assert.deepEqual(names(await news), [..."bcdefgh"]);
    },
    { settleAfter: 200 },
  ));

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const whole = writeLdif([..."abcdefgh"].map((name) => entryOf(name)));

for (const { where, at } of [
  { where: "within a record", at: whole.indexOf("description", 300) },
  { where: "between two records", at: whole.indexOf("\ndn: ", 300) },
]) {
  test(`an export in place that rests half a second ${where} is read whole`, () =>
    withSource(
      async ({ file, next }) => {
        await writeFile(file, whole);
        assert.equal(names(await next()).length, 8);
        await writeFile(file, whole.slice(0, at));
        const news = next();
        await pause(500);
        await appendFile(file, whole.slice(at).replaceAll("as it was", "another"));
        assert.deepEqual(names(await news), [..."abcdefgh"]);
      },
      { settleAfter: 200 },
    ));
}

test("a file without a newline at its end waits, then names the remedy", () =>
  withSource(async ({ file, next, silent, pass }) => {
    await writeFile(file, whole);
    await next();
    await writeFile(`${file}.new`, `${whole}\ndn: cn=i,dc=campus\ncn: i\nobjectClass: dev`);
    await rename(`${file}.new`, file);
    assert.ok(await silent());
    pass(5_000);
    const said = why(await next());
    assert.match(said, /campus\.ldif does not end in a newline.*type: echo >> \S+campus\.ldif; the last good content/);
    assert.ok(await silent());
    execFileSync("sh", ["-c", /echo >> [^;]+/.exec(said)?.[0] ?? "false"]);
    assert.deepEqual(names(await next()), [..."abcdefghi"]);
  }));

test("a file written for long is reported once, and read at its end", () =>
  withSource(async ({ file, next, pass }) => {
    await writeFile(file, whole);
    await next();
    let writing = true;
    const writer = (async () => {
      for (const end = Date.now() + 10_000; writing && Date.now() < end; await pause(10)) await appendFile(file, "#\n");
    })();
    const news = next();
    for (const end = Date.now() + 200; Date.now() < end; await pause(10)) pass(1_000);
    assert.match(why(await news), /campus\.ldif is being written: it is read once it has not changed for a second/);
    writing = false;
    await writer;
    await appendFile(file, `\n${writeLdif([entryOf("z")]).slice("version: 1\n\n".length)}`);
    assert.deepEqual(names(await next()), [..."abcdefghz"]);
  }));

test("a named pipe in the file's place is trouble", () =>
  withSource(async ({ file, next }) => {
    execFileSync("mkfifo", [file]);
    assert.match(why(await next()), /campus\.ldif is a named pipe, and is not read: put a regular file/);
  }));

test("an empty file is trouble: it is no empty directory", () =>
  withSource(async ({ file, next }) => {
    await writeFile(file, "");
    assert.match(why(await next()), /expected at least one entry, found none$/);
  }));
