import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { baseLdif } from "../servers/slapd.ts";
import { type Administrator, administrator, calm } from "./calm.ts";
import { beginning } from "./changes.ts";
import { compare } from "./compare.ts";
import { faultKinds } from "./faults.ts";
import type { Kind } from "./kind.ts";
import { lots } from "./lots.ts";
import { newModel, recordOf } from "./model.ts";
import { type Network, startNetwork } from "./network.ts";
import { type Fault, planRound, type Round, type Storm, slowPace } from "./plan.ts";
import { writer } from "./writer.ts";

/** A whole network of real parts under concurrent changes and faults. All services are compared after each round. */

export interface Settings {
  readonly seed: number;
  /** True if another round follows after this number of rounds. */
  goesOn(rounds: number): boolean;
  readonly storm: Storm;
  /** The longest time until all is equal, in milliseconds. */
  readonly patience: number;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface Summary {
  readonly rounds: number;
  /** The number of changes, by kind. */
  readonly changes: ReadonlyMap<string, number>;
  readonly faults: ReadonlyMap<string, number>;
  /** The parts that this machine lacks, each with the reason. */
  readonly leftOut: readonly string[];
  readonly approvals: number;
  /** The processes that ended by themselves, with their last output. */
  readonly ended: readonly string[];
  /** The longest time from the last fault or change until all was equal, in milliseconds. */
  readonly longest: number;
  /** The differences at the end; none if all is well. */
  readonly differences: readonly string[];
  /** The folder that holds all output, if something differed. */
  readonly kept?: string;
}

export async function chaos({ seed, goesOn, storm, patience, log, signal }: Settings): Promise<Summary> {
  const model = newModel();
  beginning({ model, lot: lots(seed, "beginning"), now: Date.now });
  const ldif = [...model.nodes.keys()].map((id) => recordOf(model, id)).join("");
  await using network = await startNetwork(`${baseLdif}\n${ldif}`);
  const hand = writer(network.slapd, model, lots(seed, "changes"));
  const admin = administrator(network);
  const plans = lots(seed, "plan");
  const [faults, said] = [new Map<string, number>(), [] as string[]];
  const locked = locking();
  let [rounds, longest] = [0, 0];
  const note = (line: string): void => {
    const stamped = `${new Date().toISOString().slice(11, 23)} ${line}`;
    said.push(stamped);
    log(stamped);
  };
  const summary = (differences: readonly string[], kept?: string): Summary => {
    const { ended } = network.processes;
    return {
      rounds,
      changes: hand.made,
      faults,
      leftOut: network.missing,
      approvals: admin.approvals,
      ended,
      longest,
      differences,
      ...(kept !== undefined && { kept }),
    };
  };
  /** Waits until all is equal. Then `trigger verify` must find no difference, and all must stay equal. */
  const settle = async (): Promise<{ after: number; differences: readonly string[] }> => {
    const { after, differences } = await calm(network, hand, admin, { within: patience, signal });
    if (differences.length > 0) return { after, differences };
    note(`all is equal after ${(after / 1000).toFixed(1)} s`);
    const { code, out, err } = await network.project.trigger(["verify"]);
    const { reported } = await admin.look();
    const verified = code === 0 ? [] : [`trigger verify ends with ${code}: ${out}${err}`];
    const back = network.wentBack().map((how) => `the stream went back: ${how}`);
    return { after, differences: [...verified, ...(await compare(network, hand, reported)), ...back] };
  };

  for (const host of network.processes.hosts) network.processes.start(host);
  for (;;) {
    const { after, differences } = await settle();
    if (signal.aborted) return summary([]);
    if (differences.length > 0) return summary(differences, keep(network, said, differences));
    if (rounds > 0) longest = Math.max(longest, after);
    if (!goesOn(rounds)) return summary([]);
    const failures = await play(planRound(plans, storm));
    rounds += 1;
    if (signal.aborted) return summary([]); // the run ends: a part that fails from here on is no finding
    if (failures.length > 0) return summary(failures, keep(network, said, failures));
  }

  /**
   * One storm: concurrent changes and faults. Returns, once all are over, a line for each that failed or could not run.
   */
  async function play(round: Round): Promise<string[]> {
    note(`round ${rounds + 1}: ${round.changes} changes, ${round.faults.length} faults`);
    const end = new AbortController();
    const watching = watch(network, admin, end.signal);
    const parts = await Promise.allSettled([write(round), ...round.faults.map(befall)]);
    end.abort();
    await watching;
    return parts.flatMap((part) => (part.status === "rejected" ? [`the storm: ${inspect(part.reason)}`] : []));
  }

  async function befall({ kind, target, at, lasts }: Fault): Promise<void> {
    const { lock, act }: Kind = faultKinds[kind];
    await pause(at);
    await locked(lock(target), async () => {
      if (signal.aborted) return;
      note(`${kind}: ${target}, for ${(lasts / 1000).toFixed(1)} s`);
      const done = await act(network, target, () => pause(lasts));
      if (done) count(kind);
      note(`over: ${kind}: ${target}`);
    });
  }

  async function write({ changes, slower, length, backupAt, restoreAt }: Round): Promise<void> {
    for (let number = 0; number <= changes && !signal.aborted; number++) {
      if (number === backupAt) hand.backUp();
      if (number === restoreAt) {
        await locked("slapd", hand.restore);
        note("the directory is restored from its backup");
        count("the directory is restored from its backup");
      }
      if (number === changes) return;
      note(await hand.change(signal));
      const quick = changes - slower;
      await pause(number < quick ? length / quick / 2 : slowPace);
    }
  }

  function count(fault: string): void {
    faults.set(fault, (faults.get(fault) ?? 0) + 1);
  }

  async function pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal }).catch(() => {}); // aborted: the caller undoes its fault at once
  }
}

/** Runs acts of the same lock one after the other. */
function locking() {
  const last = new Map<string, Promise<unknown>>();
  return async (lock: string, act: () => Promise<void>): Promise<void> => {
    const before = last.get(lock);
    const mine = (async () => {
      await before?.catch(() => {}); // its error is reported to its own caller
      await act();
    })();
    last.set(lock, mine);
    await mine;
  };
}

/** Looks after the processes and approves held removals, until it is aborted. */
async function watch({ processes }: Network, admin: Administrator, signal: AbortSignal): Promise<void> {
  for (; !signal.aborted; await sleep(2_000, undefined, { signal }).catch(() => {})) {
    processes.lookAfter();
    await admin.look();
  }
}

/** Saves the output of all processes and returns the folder. */
function keep(network: Network, said: readonly string[], differences: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "trigger-chaos-"));
  writeFileSync(join(folder, "chaos.log"), said.join("\n"));
  writeFileSync(join(folder, "differences"), differences.join("\n"));
  for (const host of network.processes.hosts) writeFileSync(join(folder, `${host}.log`), network.processes.said(host));
  network.keepLogs(folder);
  return folder;
}
