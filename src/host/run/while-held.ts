import type { Host } from "../../core/service/host-api.ts";
import type { Table } from "../../core/service/service.ts";
import { Held, reason } from "../../core/util/errors.ts";
import { installer } from "../install/install.ts";
import { hostApi } from "./host-api.ts";
import type { RunContext } from "./run-context.ts";
import { lookingHost } from "./trial.ts";
import { withinDeadline } from "./within-deadline.ts";

/** The care for a service that is held: nothing new is applied, and nothing that is applied is lost. */

/**
 * The interval between two checks of the cause of a hold, in milliseconds. Each check renders the files that the
 * service would install.
 */
const lookEvery = 30_000;
/** The longest duration of a check, in milliseconds. */
const deadline = { milliseconds: 10 * 60_000, what: "the run of a held service" };

export interface WhileHeld {
  /** True once its daemon has lost the applied rows. */
  isDue(): boolean;
  /** Restores the applied rows that were lost. */
  run(): Promise<void>;
  /** Finds out if the service is still held, and if its daemon has lost rows. It does not reject. */
  look(): Promise<void>;
}

export function whileHeld(
  table: Table,
  context: RunContext,
  { busy, poke }: { busy(): boolean; poke(): void },
): WhileHeld {
  const { store, machine, clock, signal, log } = context;
  let lost = false;
  let lookedAt = Number.NEGATIVE_INFINITY;

  const isOther = async (): Promise<boolean> => {
    const { ranAt, incarnation } = store.facts ?? {};
    return ranAt !== undefined && incarnation !== (await machine.incarnation(table.daemon));
  };

  async function look(): Promise<void> {
    if (store.facts?.held === undefined || busy() || lost) return;
    const isTime = clock.monotonic() - lookedAt >= lookEvery;
    if (isTime) lookedAt = clock.monotonic();
    if (isTime && (await endedHold(table, context))) {
      log("the cause of its hold is gone: it continues");
      poke();
    } else if (await isOther()) {
      log("its daemon, or the machine, was restarted while it is held: the applied rows are restored, and no others");
      lost = true;
      poke();
    }
  }

  return {
    isDue: () => lost,
    async run() {
      if (lost && (await isOther())) await bringBack(table, context);
      lost = false;
    },
    look: () =>
      look().catch((error) => {
        if (!signal.aborted) log(`cannot find out whether it is still held: ${reason(error)}`);
      }),
  };
}

/**
 * Restores the applied rows, and no others, in a daemon that lost them, as by a reboot. An existing file is left as it
 * is, even if trigger did not write it.
 */
async function bringBack(table: Table, context: RunContext): Promise<void> {
  const { store, machine } = context;
  const secret = (table.secret ?? []).length > 0;
  await withinDeadline(context, deadline, async (signal) => {
    const options = { ...context, name: context.host, signal, secret, unsure: true };
    const api = hostApi(options);
    const installs = installer(options);
    let leaves = false;
    const host: Host = {
      ...api.host,
      async install(files, { all: _, ...steps } = {}) {
        const wanted = "path" in files ? [files] : files;
        if (!(await installs.wouldReplace(wanted))) return api.host.install(wanted, steps);
        leaves = true;
        return "unchanged";
      },
    };
    await table.run({ rows: store.runs.applied(), changes: undefined, interrupted: false } as never, host);
    signal.throwIfAborted();
    const incarnation = await machine.incarnation(table.daemon);
    store.transaction(() => {
      api.storeNotes();
      store.write({ incarnation });
      // The end of the hold takes care of the file that differs.
      if (leaves) store.orderFullRun();
    });
  });
}

/** Ends a service's hold by a conflict once that is gone; true if it has. The test changes nothing. */
async function endedHold(table: Table, context: RunContext): Promise<boolean> {
  const { store, removals } = context;
  const held = store.facts?.held;
  if (held === undefined || held.by === "person") return false;
  const secret = (table.secret ?? []).length > 0;
  const whyHeld = await withinDeadline(context, deadline, async (signal) => {
    const removable = removals && ((files: number) => removals.limit(files));
    const look = lookingHost({ ...context, name: context.host, signal, secret, removable, log: () => {} });
    try {
      const run = { rows: store.runs.wanted(), changes: undefined, interrupted: false };
      await table.run(run as never, look.host);
    } catch (error) {
      // The run reached its first change, or its end, without the conflict that holds the service.
      if (!look.hasEnded(error)) return error instanceof Held ? error.message : String(error);
    }
    return undefined;
  });
  // Meanwhile a person may have held it, or ended the hold.
  const present = store.facts?.held;
  if (whyHeld !== undefined || present?.by !== held.by || present.detail !== held.detail) return false;
  store.write({ held: undefined });
  return true;
}
