import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Break } from "./breaks.ts";
import type { Order, Report } from "./player.ts";

export interface PlayOptions {
  /** How many processes play at a time. */
  readonly players: number;
  readonly without?: Break | undefined;
  /** The next seed to play; undefined when there is none any more. */
  next(): number | undefined;
  /** A schedule has ended; not in the order of seeds. */
  ended(report: Report): void;
}

/** A schedule that takes longer than this, in milliseconds, hangs: the slowest takes a second of a core. */
const patience = 120_000;

/** Plays seeds in several processes, until there is none any more. */
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

/** Undefined for a schedule that did not end. */
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
    return undefined; // whoever asked says so, with the seed
  } finally {
    clearTimeout(timer);
    player.off("exit", died);
  }
}

function start(): ChildProcess {
  // Of a test runner's process it is none itself.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return fork(new URL("./player.ts", import.meta.url), { env, execArgv: [] });
}
