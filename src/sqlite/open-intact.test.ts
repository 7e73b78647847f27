import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openIntact } from "./open-intact.ts";

const folder = mkdtempSync(join(tmpdir(), "trigger-intact-"));
test.after(() => rmSync(folder, { recursive: true }));

const nothing = (): void => {};
const asides = (name: string): string[] => readdirSync(folder).filter((found) => found.startsWith(`${name}.corrupt-`));

test("the ten newest of the damaged files are kept", () => {
  const file = join(folder, "often");
  for (let day = 1; day <= 12; day++) {
    writeFileSync(file, "no database");
    openIntact(file, nothing, { now: Date.UTC(2024, 0, day), lost: nothing }).database.close();
  }
  const last = Array.from({ length: 10 }, (_, at) => String(at + 3).padStart(2, "0"));
  assert.deepEqual(
    asides("often"),
    last.map((day) => `often.corrupt-2024-01-${day}T000000.000Z`),
  );
});

test("two files set aside in one millisecond are both kept", () => {
  const file = join(folder, "twice");
  for (const junk of ["first", "second"]) {
    writeFileSync(file, junk);
    openIntact(file, nothing, { now: 0, lost: nothing }).database.close();
  }
  const texts = asides("twice").map((name) => readFileSync(join(folder, name), "utf8"));
  assert.deepEqual(texts, ["first", "second"]);
});

test("an error that is no damage is thrown, and the file stays", () => {
  const file = join(folder, "sound");
  const prepare = (): never => {
    throw new Error("not now");
  };
  assert.throws(() => openIntact(file, prepare, { now: 0, lost: nothing }), /^Error: not now$/);
  assert.deepEqual(asides("sound"), []);
});

test("the log names the damage and the new name of the file", () => {
  const file = join(folder, "said");
  const said: string[] = [];
  writeFileSync(file, "no database");
  const { database, prepared } = openIntact(file, () => 5, { now: 0, lost: (line) => said.push(line) });
  database.close();
  assert.equal(prepared, 5);
  assert.match(
    said.join("\n"),
    /^could not be read \(.+\) and is set aside as .+said\.corrupt-1970-01-01T000000\.000Z$/,
  );
});
