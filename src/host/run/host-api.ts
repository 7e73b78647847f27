import type { Asked, AskOptions, Host, Output } from "../../core/service/host-api.ts";
import { sayBlocked } from "../install/blocked.ts";
import { type InstallerOptions, installer } from "../install/install.ts";
import { countingStarts } from "../install/start-limit.ts";
import { commandDeadline, failed } from "../install/step.ts";
import type { BlockedFile } from "../install/target.ts";
import { dryOwned } from "../store/owned.ts";

export interface HostApiOptions extends InstallerOptions {
  /** The host's name. */
  readonly name: string;
  /** Aborts when the run must end. */
  readonly signal: AbortSignal;
}

/** The API of the host for one run, and a record of how the run used it. */
export interface HostApi {
  /** The argument of `run` and of a plain handler. */
  readonly host: Host;
  /**
   * Stores the run's notes in `host.memory`. After an unsure run it also drops the pending reloads of files that were
   * not installed. Called inside the transaction of the run's success.
   */
  storeNotes(): void;
  /** True if a probe saw the daemon serve every install of this run; undefined if one had no probe, or there was none. */
  serving(): true | undefined;
  /** True if this run has installed files. */
  hasInstalled(): boolean;
  /** The number of files that this run removed without a person's approval. */
  removedUnasked(): number;
  /** The message about files that stay as they are, because another user changed their place or folder. */
  blocked(): string | undefined;
}

/** The API of the host for one run of a service. */
export function hostApi(options: HostApiOptions): HostApi {
  const { name, store, clock, signal, secret, unsure = false, removable, log } = options;
  const machine = countingStarts(options.machine, store.starts, clock);
  const installs = installer({ store, machine, clock, secret, unsure, removable, log });
  const notes = new Map<string, string>();
  const owned = store.records.owned(clock.now);
  const served: (true | undefined)[] = [];
  let removedUnasked = 0;
  const blocked: BlockedFile[] = [];

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
      served.push(outcome.serving);
      removedUnasked += outcome.removedUnasked ?? 0;
      blocked.push(...(outcome.blocked ?? []));
      return outcome.installed;
    },
    ask: (asked, options) => run(asked, false, options),
    tell: (asked, options) => run(asked, true, options),
    files: machine.files,
    memory: {
      get: (note) => notes.get(note) ?? store.notes.read(note),
      set: (note, text) => void notes.set(note, text),
    },
    owned: machine.dry ? dryOwned(owned) : owned,
    log,
  };
  return {
    host,
    storeNotes() {
      store.transaction(() => {
        for (const [note, text] of notes) store.notes.write(note, text);
        if (unsure) installs.dropUnwanted();
      });
      notes.clear();
    },
    serving: () => (served.length > 0 && !served.includes(undefined) ? true : undefined),
    hasInstalled: () => served.length > 0,
    removedUnasked: () => removedUnasked,
    blocked: () => (blocked.length === 0 ? undefined : sayBlocked(blocked)),
  };
}
