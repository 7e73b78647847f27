import crypto from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brokerFile, directoryFile, ownedFile, storeFile } from "../../src/daemon/store-file.ts";
import { openDatabase } from "../../src/sqlite/open.ts";
import type { MemoryMachine } from "../../src/testing/memory-machine.ts";
import { liveBroker } from "./broker-story.ts";
import { liveDirectory } from "./directory-story.ts";
import { liveHost } from "./host-story.ts";
import { hostName } from "./project.ts";

/** `node test/stores/make.ts FOLDER`: leaves there the databases that this version writes, and the files of the machine. */

/** Two runs give the same: ids are counted, and the process has one number. */
function withoutChance(): void {
  let ids = 0;
  const next = (): string => (++ids).toString(16).padStart(12, "0");
  Object.assign(crypto, {
    randomUUID: () => `00000000-0000-4000-8000-${next()}`,
    randomBytes: (size: number) => Buffer.concat([Buffer.from(next(), "hex"), Buffer.alloc(size)]).subarray(0, size),
  });
  syncBuiltinESMExports();
  Object.defineProperty(process, "pid", { value: 4711 });
}

/** Copies a database as a killed process leaves it, and makes one small file of it. */
function keep(file: string, as: string): void {
  for (const part of ["", "-wal"]) if (existsSync(file + part)) cpSync(file + part, as + part);
  const database = openDatabase(as);
  database.exec("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
}

/** The files of a machine, by path. */
async function filesOf(machine: MemoryMachine, folder = "/"): Promise<[path: string, text: string][]> {
  const all: [string, string][] = [];
  for (const name of await machine.files.list(folder)) {
    const path = join(folder, name);
    const isFolder = (await machine.files.stat(path))?.kind === "directory";
    all.push(...(isFolder ? await filesOf(machine, path) : ([[path, machine.text(path) ?? ""]] as [string, string][])));
  }
  return all;
}

/** Makes the files of a folder. */
async function makeStores(folder: string): Promise<void> {
  withoutChance();
  const state = mkdtempSync(join(tmpdir(), "trigger-make-stores-"));
  try {
    mkdirSync(folder, { recursive: true });
    const { machine, sentences } = await liveHost(state);
    keep(storeFile(state, hostName), join(folder, "store.db"));
    keep(ownedFile(state, hostName), join(folder, "owned.db"));
    writeFileSync(
      join(folder, "machine.json"),
      `${JSON.stringify(Object.fromEntries(await filesOf(machine)), null, 2)}\n`,
    );
    writeFileSync(join(folder, "sentences.json"), `${JSON.stringify(sentences, null, 2)}\n`);
    await liveDirectory(state);
    keep(directoryFile(state, hostName), join(folder, "directory.db"));
    await liveBroker(state, () => keep(brokerFile(state), join(folder, "broker.db")));
  } finally {
    rmSync(state, { recursive: true });
  }
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("node test/stores/make.ts FOLDER");
await makeStores(folder);
// The host of the story is in the midst of its work.
process.exit(0);
