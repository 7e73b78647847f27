import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { init } from "../src/cli/init.ts";
import { main } from "../src/cli/main.ts";

/** A new project, made by `trigger init` and run by `trigger up --all`, until the end of the scope. */
export async function runningProject({
  options = [] as readonly string[],
  prepare = (_folder: string): void => {},
} = {}) {
  const folder = mkdtempSync(join(tmpdir(), "trigger-project-"));
  const stop = new AbortController();
  const said: string[] = [];
  const terminal = {
    folder,
    colour: false,
    signal: stop.signal,
    out: (text: string) => void said.push(text),
    err: (text: string) => void said.push(text),
  };
  await init.run({ operands: [], text: () => undefined, flag: () => false }, terminal);
  prepare(folder);
  const running = main(["up", "--all", ...options], terminal);
  return {
    folder,
    said: () => said.join(""),
    /** Runs another command beside it and gives its exit code and what it printed. */
    async run(...words: string[]) {
      const out: string[] = [];
      const say = (text: string) => void out.push(text);
      const code = await main(words, { ...terminal, signal: new AbortController().signal, out: say, err: say });
      return { code, out: out.join("") };
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      rmSync(folder, { recursive: true });
    },
  };
}
