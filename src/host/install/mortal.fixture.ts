import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import type { InstallFile } from "../../core/service/host-api.ts";
import { ownedBy } from "../store/owned.ts";
import {
  hostIn,
  installerIn,
  newBook,
  other,
  path,
  simulatedDaemon,
  standingClock,
  stepsFor,
} from "./scene.fixture.ts";
import { installStatus } from "./status.ts";

/** A database whose commits are steps: durable when done, and nothing when the process ended before. */
export function steppedBook(database: DatabaseSync, step: (name: string) => void): DatabaseSync {
  return new Proxy(database, {
    get(target, name) {
      if (name !== "exec") {
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      }
      return (sql: string) => {
        if (sql === "COMMIT") step("commit");
        target.exec(sql);
      };
    },
  });
}

/** A scene whose process may end before a step of its: nothing that it does after that has an effect. */
export function mortalScene(files: Record<string, string> = {}) {
  let end: RegExp | undefined;
  let dead = false;
  const step = (name: string): void => {
    if (end?.test(name)) dead = true;
    if (dead) throw new Error(`the process ended before: ${name}`);
  };
  const daemon = simulatedDaemon([path, other], { files, onStep: step });
  const { machine } = daemon;
  const database = newBook();
  // What was found was approved before.
  ownedBy(database, "demo", () => 0).claim([path, other]);
  const clock = standingClock();
  const said: string[] = [];
  const all = { machine, database: steppedBook(database, step), clock, log: (line: string) => void said.push(line) };
  const installAll = (...files: InstallFile[]) => hostIn(all).install(files, stepsFor(files));
  return {
    ...{ daemon, machine, database, clock, said, installAll },
    install: (text: string) => installAll({ path, text }),
    owe: () => installerIn(all).owe(),
    text: () => machine.text(path),
    status: () => installStatus(database),
    /** Runs an install until its process ends before a step. */
    async killedBefore(step: RegExp, install: () => Promise<unknown>): Promise<void> {
      end = step;
      await assert.rejects(install(), /the process ended before/);
      assert.ok(dead);
      end = undefined;
      dead = false;
      if (database.isTransaction) database.exec("ROLLBACK"); // what SQLite does for a process that died
    },
  };
}
