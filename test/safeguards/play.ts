import { spawn } from "node:child_process";
import type { Copy } from "./copy.ts";
import type { Removal } from "./removal.ts";

/** The time that a test file may take, in milliseconds: without its safeguard it may wait for ever. */
const patience = 180_000;

/** The end of a test file: `failed` names the first test that did, and is undefined when all passed. */
export interface Ended {
  readonly failed: string | undefined;
}

/** Runs a test file in a folder, in a process group that ends with it. */
export async function runTest(folder: string, test: string, signal: AbortSignal): Promise<Ended> {
  const child = spawn(process.execPath, ["--test", "--test-reporter=tap", "--test-timeout=100000", test], {
    ...{ cwd: folder, detached: true, stdio: ["ignore", "pipe", "ignore"] as const },
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  let late = false;
  const end = (): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // The group is gone: that was wanted.
    }
  };
  const timer = setTimeout(() => {
    late = true;
    end();
  }, patience);
  signal.addEventListener("abort", end, { once: true });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
  signal.throwIfAborted();
  if (code === 0) return { failed: undefined };
  const names = [...said.matchAll(/^ *not ok \d+ - (.*)$/gm)].map(([, name = ""]) => name);
  const first = names.find((name) => !name.endsWith(".test.ts"));
  return { failed: `${test}: ${first ?? (late ? "it did not end" : `it ended with ${code}`)}` };
}

/** Plays removals in a copy, each against its tests. Gives what noticed one; undefined when it survives. Throws for a test that fails with all in place. */
export function player(copy: Copy, signal: AbortSignal) {
  const sound = new Set<string>();

  async function mustPass(test: string): Promise<void> {
    if (sound.has(test)) return;
    const { failed } = await runTest(copy.folder, test, signal);
    if (failed !== undefined) throw new Error(`nothing was taken away, and this fails: ${failed}`);
    sound.add(test);
  }

  return async (removal: Removal): Promise<string | undefined> => {
    for (const test of removal.tests) {
      await mustPass(test);
      using _ = copy.remove(removal);
      const { failed } = await runTest(copy.folder, test, signal);
      if (failed !== undefined) return failed;
    }
    return undefined;
  };
}
