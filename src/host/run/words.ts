import type { Asked, AskOptions, Host, Output } from "../../core/service/host-api.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Machine } from "../../ports/machine.ts";
import { sayStuck } from "../install/apart.ts";
import { installer } from "../install/install.ts";
import { countingStarts } from "../install/start-limit.ts";
import { commandDeadline, failed } from "../install/step.ts";
import type { Stuck } from "../install/target.ts";
import { noted } from "../store/owned.ts";
import type { ServiceStore } from "../store/service-store.ts";

export interface WordsOptions {
  /** The host's name. */
  readonly name: string;
  readonly machine: Machine;
  readonly store: ServiceStore;
  readonly clock: Clock;
  /** Aborts when the run must end. */
  readonly signal: AbortSignal;
  /** The service has secret columns: nothing that a file or a command says is shown. */
  readonly secret: boolean;
  /** The state of the daemon is unknown: what was proved before is proved again. False by default. */
  readonly unsure?: boolean;
  /** Takes a number of files and gives the number that may go in this run without a question; all may go if it is absent. */
  readonly spare?: ((files: number) => number) | undefined;
  readonly log: (message: string) => void;
}

export interface Words {
  /** What `run` and a plain handler are given. */
  readonly host: Host;
  /** Writes what the run noted in `host.memory`, and, of an unsure run, that the files it did not install owe nothing; inside the transaction of its success. */
  keep(): void;
  /** Whether every install of this run is proved; undefined when there was none. */
  proved(): boolean | undefined;
  /** The number of files that this run removed without an answer of a person. */
  gone(): number;
  /** What is to be said of files that stay as they are, because of what others did with their place or folder. */
  stuck(): string | undefined;
}

/** The words that a service has on its host, for one run. */
export function hostWords(options: WordsOptions): Words {
  const { name, store, clock, signal, secret, unsure = false, spare, log } = options;
  const machine = countingStarts(options.machine, store.starts, clock);
  const installs = installer({ store, machine, clock, secret, unsure, spare, log });
  const notes = new Map<string, string>();
  const owned = store.records.owned(clock.now);
  let proved: boolean | undefined;
  let gone = 0;
  const stuck: Stuck[] = [];

  const run = async (asked: Asked, changes: boolean, options: AskOptions = {}): Promise<Output> => {
    const output = await machine.run(asked, { deadline: commandDeadline, ...options, changes, signal });
    if (output.code !== 0) throw failed(asked, output, secret);
    return output;
  };

  const host: Host = {
    name,
    service: store.name,
    dry: machine.dry,
    signal,
    async install(files, steps = {}) {
      const outcome = await installs.install("path" in files ? [files] : files, steps, host);
      proved = (proved ?? true) && outcome.proved;
      gone += outcome.gone ?? 0;
      stuck.push(...(outcome.stuck ?? []));
      return outcome.installed;
    },
    ask: (asked, options) => run(asked, false, options),
    tell: (asked, options) => run(asked, true, options),
    files: machine.files,
    memory: {
      get: (note) => notes.get(note) ?? store.notes.read(note),
      set: (note, text) => void notes.set(note, text),
    },
    owned: machine.dry ? noted(owned) : owned,
    log,
  };
  return {
    host,
    keep() {
      store.transaction(() => {
        for (const [note, text] of notes) store.notes.write(note, text);
        if (unsure) installs.dropUnwanted();
      });
      notes.clear();
    },
    proved: () => proved,
    gone: () => gone,
    stuck: () => (stuck.length === 0 ? undefined : sayStuck(stuck)),
  };
}
