import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { Ended, Running, TestProject } from "../project.ts";

/** The hosts of a network, each a process of its own, in a folder of its own or in a shared one. */
export interface Machines {
  start(host: string): void;
  process(host: string): Running;
  /** Ends a host's process and returns its output. */
  end(host: string, signal: NodeJS.Signals): Promise<Ended>;
  /** Runs a command on a host's machine. */
  trigger(host: string, words: readonly string[]): Promise<Ended>;
  /** The output of `trigger status --json` on a host's machine. */
  status(host: string): Promise<Status>;
  /** The status of a host on its own machine. */
  own(host: string): Promise<HostStatus>;
  /** The lines of a file that a service of the host wrote. */
  lines(host: string, file: string): string[];
  /** The output of all commands and processes. */
  said(): string;
}

export function machines(
  folderOf: (host: string) => TestProject,
  /** The environment of a host's process. */
  env?: (host: string) => NodeJS.ProcessEnv,
): Machines {
  const running = new Map<string, Running>();
  const words: string[] = [];

  async function trigger(host: string, line: readonly string[]): Promise<Ended> {
    const ended = await folderOf(host).trigger(line);
    words.push(ended.out, ended.err);
    return ended;
  }
  const status = async (host: string): Promise<Status> =>
    JSON.parse((await folderOf(host).trigger(["status", "--json"])).out);
  const process = (host: string): Running => running.get(host) ?? assert.fail(`${host} does not run`);
  return {
    ...{ trigger, status, process },
    start: (host) => void running.set(host, folderOf(host).spawn(["up", "--host", host], env && { env: env(host) })),
    async end(host, signal) {
      const ended = await process(host).end(signal);
      words.push(`${host} said:\n${process(host).said()}`);
      running.delete(host);
      return ended;
    },
    async own(host) {
      const { hosts } = await status(host);
      return hosts.find((one) => one.host === host) ?? assert.fail(`${host} says nothing of itself`);
    },
    lines: (host, file) => (folderOf(host).read(`out/${host}/${file}`) ?? "").split("\n").filter(Boolean),
    said: () => [...words, ...[...running].map(([host, { said }]) => `${host} said:\n${said()}`)].join("\n"),
  };
}

/** The text of a config. */
export const configText = (config: object): string =>
  `import { defineConfig } from "trigger";\nexport default defineConfig(${JSON.stringify(config)});\n`;

export interface Place {
  readonly epoch: number;
  readonly seq: number;
}

/** The parts of `trigger status --json` that tests use. */
export interface Status {
  readonly hosts: readonly HostStatus[];
}

export interface HostStatus {
  readonly host: string;
  readonly here: boolean;
  readonly up?: boolean;
  readonly transcriber?: { readonly active: boolean; readonly epoch?: number; readonly trouble?: string };
  readonly services: Readonly<
    Record<
      string,
      { readonly pending: number; readonly doubt: boolean; readonly stored?: Place; readonly equal?: Place }
    >
  >;
}

/** Polls a host's own store and records each time its place in the stream of a service goes back. */
export function watchMark(project: TestProject, host: string, { service = "names", every = 20 } = {}) {
  const wentBack: string[] = [];
  const beginning: Place = { epoch: 0, seq: 0 };
  let last = beginning;
  const timer = setInterval(() => {
    const now = readMark(project.path(`.trigger/${host}/store.db`), service);
    if (!now) return;
    const back = now.epoch < last.epoch || (now.epoch === last.epoch && now.seq < last.seq);
    if (back) wentBack.push(`${JSON.stringify(last)} → ${JSON.stringify(now)}`);
    last = now;
  }, every);
  /** Forgets the last place: the store was replaced, and has a place of its own. */
  const forget = (): void => {
    last = beginning;
  };
  return { wentBack, last: () => last, forget, stop: () => clearInterval(timer) };
}

function readMark(file: string, service: string): Place | undefined {
  try {
    using store = new DatabaseSync(file, { readOnly: true, timeout: 50 });
    const found = store.prepare("SELECT followed FROM service WHERE name = ?").get(service);
    return JSON.parse(String(found?.followed ?? "{}")).mark;
  } catch {
    return undefined; // the store is being made or written
  }
}
