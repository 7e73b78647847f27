import assert from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import type { TestContext } from "node:test";
import { systemClock } from "../../src/daemon/clock.ts";
import { ldif, type Machine, makeProject, type TestProject } from "../project.ts";
import { until } from "../until.ts";
import { machines, type Status, watchMark } from "./machines.fixture.ts";

/** Two transcribers and a host, each a process of its own, with an editor and a check that no place goes back. */

export const transcribers = ["civet", "genet"];
const hosts = { civet: ["event"], genet: ["event"], box: ["names"] };
/** The longest time of a takeover, in milliseconds; its real time is measured elsewhere. */
export const patience = 60_000;

/** The settings by which the processes find the broker. */
export interface PairOptions {
  /** The text of `broker` in the config, as TypeScript. */
  readonly broker: string;
  /** The environment of each process. */
  env?(host: string): NodeJS.ProcessEnv;
}

export type Pair = ReturnType<typeof startPair>;

/** Starts all three processes. They end with the test. */
export function startPair(t: TestContext, { broker, env }: PairOptions) {
  const project = makeProject(t, {
    files: {
      "trigger.config.ts": `import { defineConfig } from "trigger";
export default defineConfig({
  broker: ${broker},
  directory: { ldif: "directory.ldif" },
  hosts: ${JSON.stringify(hosts)},
});\n`,
    },
  });
  const { start, process, said, own, status: statusAt } = machines(() => project, env);
  const status = async (): Promise<Status> => {
    await systemClock.sleep(50); // callers poll it, and the processes need the processor
    return statusAt("box");
  };
  const edit = editor(project);
  const watched = watchMark(project, "box");
  t.after(watched.stop);
  for (const host of Object.keys(hosts)) start(host);

  async function active(): Promise<string[]> {
    const { hosts } = await status();
    return hosts.filter(({ up, transcriber }) => up && transcriber?.active).map(({ host }) => host);
  }
  const epochOf = async (host: string): Promise<number> => (await own(host)).transcriber?.epoch ?? 0;
  return {
    ...{ project, start, process, said, edit, active, epochOf },
    /**
     * Waits until the host serves the directory, and both agree that its table is equal, at a place of `transcriber`.
     */
    async equalWith(transcriber: string): Promise<void> {
      await until(edit.isServed, { within: patience });
      // The first one may report a difference that a takeover has left, and that it has repaired.
      const first = await project.trigger(["verify"]);
      const { code, out } = first.code === 0 ? first : await project.trigger(["verify"]);
      assert.equal(code, 0, first.out + out);
      // A transcriber notes its epoch a moment after it has begun it.
      await until(
        async () => {
          const box = (await status()).hosts.find(({ host }) => host === "box");
          const { stored, equal } = box?.services.names ?? {};
          return equal !== undefined && equal.epoch === (await epochOf(transcriber)) && stored?.epoch === equal.epoch;
        },
        { within: patience },
      );
      assert.ok(edit.isServed(), "what was equal is served no more");
      assert.deepEqual(watched.wentBack, []);
    },
  };
}

export const other = (host: string): string => transcribers.find((one) => one !== host) ?? assert.fail();

/** The active transcriber, once exactly one is active and the host has everything from it. */
export async function settled(world: Pair): Promise<string> {
  await until(async () => (await world.active()).length === 1, { within: patience }).catch((error) => {
    throw new Error(`${error.message}\n${world.said()}`);
  });
  const [first = ""] = await world.active();
  await world.equalWith(first);
  return first;
}

/** An editor of the directory, with a check that its edits are served. */
function editor(project: TestProject) {
  const machines: Machine[] = [];
  const add = (): void => {
    const number = machines.length + 1;
    // Each edit changes the address of every machine, so that a row of an older table is noticed.
    machines.push({ name: `m${number}`, ip: "" });
    const now = machines.map(({ name }, at) => ({ name, ip: `10.0.${number}.${at + 1}` }));
    machines.splice(0, machines.length, ...now);
    writeFileSync(project.path("directory.new"), ldif(now));
    renameSync(project.path("directory.new"), project.path("directory.ldif"));
  };
  add();
  return {
    add,
    isServed(): boolean {
      const expected = machines.map(({ name, ip }) => `${name} ${ip}`).sort();
      const served = (project.read("out/box/names") ?? "").trim().split("\n").sort();
      return expected.join() === served.join();
    },
  };
}
