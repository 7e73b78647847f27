import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { brokerFile, directoryFile, openStoreFile, ownedFile, storeFile } from "../../src/daemon/store-file.ts";
import { memoryMachine } from "../../src/testing/memory-machine.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { until } from "../until.ts";
import { initial, made, tableOf } from "./expected.ts";
import type { Sentences } from "./expected-reports.ts";
import { hostName } from "./project.ts";
import { openWorld, type World } from "./world.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

/** The folders of stores, one for each schema that a version of trigger wrote. */
export const folders = readdirSync(here)
  .filter((name) => name.startsWith("schema-"))
  .map((name) => join(here, name));

/** Puts copies of the databases of a folder where the program of today looks for them. */
export function copyOf(t: TestContext, folder: string): string {
  const state = mkdtempSync(join(tmpdir(), "trigger-stores-"));
  t.after(() => rmSync(state, { recursive: true, force: true }));
  for (const [name, file] of [
    ["store.db", storeFile(state, hostName)],
    ["owned.db", ownedFile(state, hostName)],
    ["directory.db", directoryFile(state, hostName)],
    ["broker.db", brokerFile(state)],
  ] as const) {
    mkdirSync(dirname(file), { recursive: true });
    cpSync(join(folder, name), file);
  }
  return state;
}

/** Of what was said at the opening of a file nothing may be worse than its migration. */
export const nothingLost = (said: readonly string[]): void =>
  assert.deepEqual(
    said.filter((line) => !line.includes(" is migrated; ")),
    [],
  );

/** The sentences that the version of a folder wrote into its store. */
export const sentencesOf = (folder: string): Sentences =>
  JSON.parse(readFileSync(join(folder, "sentences.json"), "utf8"));

interface OpenOptions {
  readonly at?: number;
  /** The state folder, where there is a copy already. */
  readonly state?: string;
}

/** Opens the host of a folder, as it was killed, with another life of its transcriber. */
export function openHost(t: TestContext, folder: string, { at = made, state: given }: OpenOptions = {}) {
  let opened: DatabaseSync | undefined;
  const hosts: ReturnType<World["up"]>[] = [];
  t.after(async () => {
    for (const host of hosts) await host.down();
    opened?.close();
  });
  const state = given ?? copyOf(t, folder);
  const clock = virtualClock(at);
  const lost: string[] = [];
  const database = openStoreFile(state, hostName, clock.now(), (line) => void lost.push(line));
  opened = database;
  nothingLost(lost);
  const files = JSON.parse(readFileSync(join(folder, "machine.json"), "utf8"));
  const world = openWorld({ database, clock, machine: memoryMachine({ files }), epoch: (at + 1) * 1000 });
  for (const name of Object.keys(initial)) world.has(name, tableOf(name));
  return {
    ...world,
    sentences: sentencesOf(folder),
    /** Runs one service of the host, until it had its first run and its table was compared. */
    async start(name: string) {
      hosts.push(world.up([name]));
      await until(() => world.isQuiet(name));
      await clock.advance(1000);
    },
    /** Runs it as well, without waiting for anything. */
    begin: (name: string) => void hosts.push(world.up([name])),
    /** Orders something, or says it, and gives it the time of a few runs. */
    async pass(work?: Promise<unknown>) {
      await work;
      for (let second = 0; second < 3; second++) await clock.advance(1000);
    },
  };
}
