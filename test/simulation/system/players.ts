import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Break } from "./breaks.ts";
import type { Order, Report } from "./player.ts";

export interface PlayOptions {
  /** The number of processes that play at the same time. */
  readonly players: number;
  readonly without?: Break | undefined;
  /** The next seed to play; undefined at the end. */
  next(): number | undefined;
  /** Called when a schedule has ended; not in the order of seeds. */
  ended(report: Report): void;
}

/** The longest time of a schedule, in milliseconds. The slowest takes a second of a core, so a longer one hangs. */
const patience = 120_000;

/** Plays seeds in several processes until there are no more. */
export async function playSeeds({ players, without, next, ended }: PlayOptions): Promise<void> {
  await Promise.all(Array.from({ length: players }, playSome));

  async function playSome(): Promise<void> {
    let player: ChildProcess | undefined;
    try {
      for (let seed = next(); seed !== undefined; seed = next()) {
        player ??= start();
        const report = await playOne(player, { seed, without });
        if (report) ended(report);
        else {
          player.kill("SIGKILL");
          player = undefined;
          const message = `P5: the schedule does not end within ${patience / 1000} s, or ends its process`;
          ended({ seed, violation: { promise: "P5", message }, log: [] });
        }
      }
    } finally {
      player?.kill("SIGKILL");
    }
  }
}

/** Plays one seed; undefined if the schedule did not end. */
async function playOne(player: ChildProcess, order: Order): Promise<Report | undefined> {
  player.send(order);
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), patience);
  const died = (): void => over.abort();
  player.once("exit", died);
  try {
    const [report] = await once(player, "message", { signal: over.signal });
    return report;
  } catch {
    return undefined; // the caller reports it, with the seed
  } finally {
    clearTimeout(timer);
    player.off("exit", died);
  }
}

function start(): ChildProcess {
  // The player is not a process of the test runner.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return fork(new URL("./player.ts", import.meta.url), { env, execArgv: [] });
}
