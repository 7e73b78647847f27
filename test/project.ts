import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { main } from "../src/cli/main.ts";

/**
 * A small project in a temporary directory. Its commands run in this process or in others; all is gone when the test
 * ends.
 */

export const bin = fileURLToPath(new URL("../bin/trigger.js", import.meta.url));

/** The result of a command. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A process that runs a command. */
export interface Running {
  readonly child: ChildProcess;
  /** Its output so far, of both streams. */
  said(): string;
  /** True once it has ended, in any way. */
  over(): boolean;
  readonly ended: Promise<Ended>;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<Ended>;
}

export interface TestProject {
  readonly folder: string;
  path(name: string): string;
  write(name: string, text: string): void;
  /** The text of a file; undefined if it is missing. */
  read(name: string): string | undefined;
  /** Runs a command in this process. */
  trigger(words: readonly string[], options?: { colour?: boolean; signal?: AbortSignal }): Promise<Ended>;
  /** Runs a command in a process of its own. */
  spawn(words: readonly string[], options?: { node?: readonly string[]; env?: NodeJS.ProcessEnv }): Running;
}

export interface ProjectOptions {
  /** `hosts` of the config. */
  readonly hosts?: Readonly<Record<string, readonly string[]>>;
  /** Files of the project by name, beside or instead of the usual ones. */
  readonly files?: Readonly<Record<string, string>>;
}

/**
 * A project with the services `names` (a table, whose file is `out/<host>/names`) and `note` (plain; it adds lines to
 * `out/<host>/notes`).
 */
export function makeProject(
  t: Pick<TestContext, "after">,
  { hosts = usualHosts, files = {} }: ProjectOptions = {},
): TestProject {
  const folder = mkdtempSync(join(tmpdir(), "trigger-project-"));
  const running = new Set<Running>();
  t.after(async () => {
    await Promise.all([...running].map((process) => process.end("SIGKILL")));
    rmSync(folder, { recursive: true, force: true });
  });
  const path = (name: string): string => join(folder, name);
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(path(name)), { recursive: true });
    writeFileSync(path(name), text);
  };
  const config = `import { defineConfig } from "trigger";
export default defineConfig({ directory: { ldif: "directory.ldif" }, hosts: ${JSON.stringify(hosts)} });\n`;
  const usual = {
    "trigger.config.ts": config,
    "services/names.ts": names(),
    "services/note.ts": note,
    "directory.ldif": ldif([printer, laptop]),
  };
  for (const [name, text] of Object.entries({ ...usual, ...files })) write(name, text);

  return {
    folder,
    path,
    write,
    read: (name) => (existsSync(path(name)) ? readFileSync(path(name), "utf8") : undefined),
    async trigger(words, { colour = false, signal = new AbortController().signal } = {}) {
      let [out, err] = ["", ""];
      const code = await main(words, {
        folder,
        colour,
        signal,
        out(text) {
          out += text;
        },
        err(text) {
          err += text;
        },
      });
      return { code, out, err };
    },
    spawn(words, { node = [], env = process.env } = {}) {
      const child = spawn(process.execPath, [...node, bin, ...words], {
        cwd: folder,
        env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      let [out, err, said] = ["", "", ""];
      child.stdout.setEncoding("utf8").on("data", (text) => {
        out += text;
        said += text;
      });
      child.stderr.setEncoding("utf8").on("data", (text) => {
        err += text;
        said += text;
      });
      const over = (): boolean => child.exitCode !== null || child.signalCode !== null;
      const ended = once(child, "close").then(([code]) => ({ code, out, err }));
      const made: Running = {
        child,
        said: () => said,
        over,
        ended,
        end(signal) {
          if (!over()) child.kill(signal);
          return ended;
        },
      };
      running.add(made);
      return made;
    },
  };
}

/** The text of the service `names`, with further options if given. */
export const names = (words = ""): string => `
import { fileURLToPath } from "node:url";
import { files, Hostname, Ip, z } from "trigger";
export default files({
  row: z.object({ name: Hostname, ip: Ip }),
  unique: ["name", "ip"],
  pace: 50,
  select: (host) => (host.is("ipHost") ? { name: host.name, ip: host.one("ipHostNumber") } : undefined),
  files: (rows, host) => ({
    path: fileURLToPath(new URL(\`../out/\${host.name}/names\`, import.meta.url)),
    text: [...rows].map(({ name, ip }) => \`\${name} \${ip}\\n\`).join(""),
  }),
  ${words}
});
`;

const usualHosts = { box: ["names", "note"], civet: ["event"] };

/** A machine of the directory; without `uuid` it is known by its name. */
export interface Machine {
  readonly name: string;
  readonly ip: string;
  readonly uuid?: string;
}

export const printer: Machine = { name: "printer", ip: "192.0.2.10" };
export const laptop: Machine = { name: "laptop", ip: "192.0.2.11" };

/** The LDIF of a directory of machines. */
export const ldif = (machines: readonly Machine[]): string =>
  `version: 1\n\ndn: dc=campus,dc=example\nobjectClass: domain\ndc: campus\n${machines.map(record).join("")}`;

/** The LDIF record of one machine. */
export const record = ({ name, ip, uuid }: Machine): string =>
  `\ndn: cn=${name},dc=campus,dc=example\nobjectClass: device\nobjectClass: ipHost\ncn: ${name}\nipHostNumber: ${ip}\n${
    uuid === undefined ? "" : `entryUUID: ${uuid}\n`
  }`;

const note = `
import { appendFileSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Fatal, service, z } from "trigger";
export default service(z.object({ n: z.number(), fatal: z.string().optional() }), async ({ n, fatal }, host) => {
  if (fatal !== undefined) throw new Fatal(fatal);
  const folder = fileURLToPath(new URL(\`../out/\${host.name}/\`, import.meta.url));
  mkdirSync(folder, { recursive: true });
  appendFileSync(\`\${folder}notes\`, \`\${n}\\n\`);
});
`;
