import { posix } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { Asked, Files } from "../../core/service/host-api.ts";
import type { Machine } from "../../ports/machine.ts";

/** The error of every operation of a process after it was killed. */
export class Dead extends Error {
  override name = "Dead";
}

/** A moment at which a process is killed: after one of its steps, or with the file of that step half written. */
export interface Crash {
  /** The number of the step, from 1. */
  readonly step: number;
  readonly half: boolean;
}

/** A command that a service ran, or a daemon that it wrote to. */
export interface Told {
  readonly asked: Asked;
  readonly input: string | undefined;
  readonly changes: boolean;
}

/** One life of a host's process. Operations after its end have no effect. */
export class Life {
  /** The steps taken so far, each as a text: `rename /etc/a /etc/b`. */
  readonly steps: string[] = [];
  readonly told: Told[] = [];
  /** The folders that files were written to. */
  readonly folders: Set<string>;
  dead = false;
  readonly #died: () => void;
  readonly #crash: Crash | undefined;

  constructor(
    died: () => void,
    { crash, folders = new Set() }: { crash?: Crash | undefined; folders?: Set<string> } = {},
  ) {
    this.#died = died;
    this.folders = folders;
    this.#crash = crash;
  }

  kill(): void {
    if (this.dead) return;
    this.dead = true;
    this.#died();
  }

  alive(): void {
    if (this.dead) throw new Dead("the process was killed");
  }

  /** Takes a step that changes something, unless the process is dead; the process may end with it. */
  async step<T>(name: string, work: () => Promise<T>, half: () => Promise<unknown> = work): Promise<T> {
    this.alive();
    this.steps.push(name);
    const ends = this.#crash?.step === this.steps.length;
    const done = ends && this.#crash?.half ? await half() : await work();
    if (ends) this.kill();
    this.alive();
    return done as T;
  }
}

const changing = ["makeDirectory", "chmod", "chown", "link", "rename", "remove", "sync"] as const;

/** The machine of one life: it counts each step, and refuses any after the end. */
export function machineOf(life: Life, machine: Machine): Machine {
  const { files } = machine;
  const counted = Object.fromEntries(
    changing.map((name) => {
      const work = (...words: unknown[]): Promise<void> => {
        if (isText(words[1])) life.folders.add(posix.dirname(words[1]));
        return (files[name] as (...words: unknown[]) => Promise<void>)(...words);
      };
      return [
        name,
        (...words: unknown[]) => life.step([name, ...words.filter(isText)].join(" "), () => work(...words)),
      ];
    }),
  ) as Pick<Files, (typeof changing)[number]>;
  return {
    dry: false,
    scratch: machine.scratch,
    kept: machine.kept,
    files: {
      ...files,
      ...counted,
      write(path, bytes, options) {
        life.folders.add(posix.dirname(path));
        return life.step(
          `write ${path}`,
          () => files.write(path, bytes, options),
          () => files.write(path, bytes.slice(0, bytes.length >> 1), options),
        );
      },
    },
    run(asked, options) {
      const name = "socket" in asked ? `ask ${asked.socket}` : `run ${asked.join(" ")}`;
      life.alive();
      life.told.push({ asked, input: options.input, changes: options.changes });
      if (!("socket" in asked) && filing.includes(asked[0])) {
        for (const path of asked.slice(1).filter((word) => word.startsWith("/")))
          life.folders.add(path.endsWith("/") ? path.slice(0, -1) : posix.dirname(path));
      }
      return life.step(name, () => machine.run(asked, options));
    },
    async incarnation(daemon) {
      life.alive();
      return machine.incarnation(daemon);
    },
  };
}

/** Programs of the kit that put files into folders, and make missing ones. */
const filing = ["touch", "cp", "mv"];

const isText = (word: unknown): word is string => typeof word === "string";

/** The database of one life: it refuses to read or write after the end. */
export function databaseOf(life: Life, database: DatabaseSync): DatabaseSync {
  return watched(database, life) as DatabaseSync;
}

function watched(target: object, life: Life): object {
  return new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...words: unknown[]) => {
        life.alive();
        const given: unknown = value.apply(target, words);
        return name === "prepare" ? watched(given as object, life) : given;
      };
    },
  });
}
