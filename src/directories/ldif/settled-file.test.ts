import assert from "node:assert/strict";
import { appendFile, mkdtemp, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { entryOf } from "../../../test/contracts/directory.ts";
import type { Clock } from "../../ports/clock.ts";
import type { SourceChange } from "../../ports/directory.ts";
import { readSettled, settled, stampOf } from "./settled-file.ts";
import { ldifSource } from "./source.ts";
import { writeLdif } from "./write.ts";

const { signal } = new AbortController();

async function fileOf(context: TestContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "trigger-still-"));
  context.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "campus.ldif");
  await writeFile(file, text);
  return file;
}

/** A clock on which others do something while one waits: each of these once, one after the other. */
const busyClock = (meanwhile: (() => Promise<void>)[]): Clock => ({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async () => meanwhile.shift()?.(),
});

test("a file that changes after the look at it is not settled", async (context) => {
  const file = await fileOf(context, "before");
  const stamp = await stampOf(file);
  await writeFile(file, "after it");
  assert.equal(await readSettled(file, stamp), undefined);
  const bytes = await readSettled(file, await stampOf(file));
  assert.equal(Buffer.from(bytes ?? []).toString(), "after it");
});

test("a file that grows at each look is waited for until it stands still", async (context) => {
  const file = await fileOf(context, "a");
  const grow = () => appendFile(file, "b");
  const left = [grow, grow, grow];
  const stamp = await settled(file, { clock: busyClock(left), settleAfter: 200, signal });
  assert.equal(left.length, 0);
  assert.equal(Buffer.from((stamp && (await readSettled(file, stamp))) ?? []).toString(), "abbb");
});

test("a file renamed into place settles five times faster than one written", async (context) => {
  const file = await fileOf(context, "a");
  const { inode } = await stampOf(file);
  const looks = async (): Promise<number> => {
    const idle = Array.from({ length: 20 }, () => async () => {});
    await settled(file, { clock: busyClock(idle), signal, settleAfter: 200, inode });
    return 20 - idle.length;
  };
  assert.equal(await looks(), 5);
  await writeFile(`${file}.new`, "b");
  await rename(`${file}.new`, file);
  assert.equal(await looks(), 1);
});

test("a copy that carries an old date is waited for like any other", async (context) => {
  const record = (name: string) => writeLdif([entryOf(name)]).slice("version: 1\n".length);
  const file = await fileOf(context, writeLdif([entryOf("a")]));
  await utimes(file, 1, 1);
  const meanwhile: (() => Promise<void>)[] = [];
  const busy = busyClock(meanwhile);
  // The changes come while the file settles, not between two polls.
  const sleep = (milliseconds: number): Promise<void> =>
    milliseconds === 200 ? busy.sleep(milliseconds) : new Promise((resolve) => setTimeout(resolve, 5));
  const source = ldifSource({ file, clock: { ...busy, sleep }, settleAfter: 200, every: 20 });
  const changes = source.changes(signal)[Symbol.asyncIterator]();
  context.after(() => changes.return?.());
  const names = async (): Promise<string[]> => {
    const value: SourceChange = (await changes.next()).value;
    return value.kind === "refresh" ? value.entries.map(({ dn }) => dn.slice(3, 4)) : [value.kind];
  };
  assert.deepEqual(await names(), ["a"]);
  meanwhile.push(() => appendFile(file, record("c")));
  const next = names();
  await writeFile(`${file}.new`, `version: 1\n${record("b")}`);
  await utimes(`${file}.new`, 1, 1);
  await rename(`${file}.new`, file);
  assert.deepEqual(await next, ["b", "c"]);
});
