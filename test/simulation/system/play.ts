import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { seeded } from "../../../src/testing/random.ts";
import { Violation } from "../violation.ts";
import type { Break } from "./breaks.ts";
import { bystanders } from "./bystanders.ts";
import { keepChanges } from "./changes.ts";
import { outage } from "./outage.ts";
import { attend } from "./persons.ts";
import { step } from "./steps.ts";
import { type World, world } from "./world.ts";

export interface Played {
  readonly violation: Violation | undefined;
  /** The steps (`*`) and log lines, in order. */
  readonly log: readonly string[];
}

/** Plays the schedule of a seed, without one safeguard if it is named. */
export async function play(seed: number, without?: Break): Promise<Played> {
  const restore = foreseeableNames(seed);
  const played = world(seed, without);
  let violation: Violation | undefined;
  try {
    for (const process of [...played.transcribers, ...played.hosts]) process.start();
    await pass(played, played.random.below(5000));
    // Many short schedules find more than few long ones, but some findings need a long one.
    const shape = played.random.chance(5 / 6) ? short : long;
    for (let left = shape.least + played.random.below(shape.more); left > 0; left--) {
      step(played);
      await pass(played, pause(played, shape));
    }
    await settle(played, shape);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error;
    for (const { name, store } of played.hosts) {
      for (const table of ["service", "row", "install_pending", "message"]) {
        for (const row of store.raw.prepare(`SELECT * FROM ${table}`).all()) {
          played.note(`${name} has in ${table}: ${JSON.stringify(row)}`);
        }
      }
    }
  } finally {
    for (const process of [...played.transcribers, ...played.hosts]) process.kill();
    await played.time.advance(0);
    for (const { store } of played.hosts) store.close();
    restore();
  }
  return { violation, log: played.log };
}

interface Shape {
  /** The smallest number of steps. `more` is the range of the random number added to it. */
  readonly least: number;
  readonly more: number;
  /**
   * The longest usual pause between two steps, in milliseconds. Many are zero or short, and rarely one is up to `long`.
   */
  readonly while: number;
  readonly long: number;
  /** The number of rounds for which all must stay well. */
  readonly calm: number;
}
const short: Shape = { least: 3, more: 13, while: 8000, long: 45_000, calm: 3 };
const long: Shape = { least: 15, more: 30, while: 15_000, long: 90_000, calm: 6 };

function pause({ random }: World, shape: Shape): number {
  const kind = random.unit();
  if (kind < 0.25) return 0;
  if (kind < 0.65) return random.below(1500);
  return random.below(kind < 0.96 ? shape.while : shape.long);
}

async function pass(
  { time, judge, watch, waves, notices, network, hosts }: World,
  milliseconds: number,
): Promise<void> {
  await time.advance(milliseconds);
  judge.look();
  watch.look();
  waves?.look(hosts);
  notices.look(network.hub, hosts);
}

const round = 10_000;
/**
 * The rounds after the last fault until everything must be well: a minute of waiting, the longest backoffs and some
 * digests.
 */
const rounds = 36;
/** Ends the faults: everything is up, and all must become equal. */
async function settle(world: World, { calm }: Shape): Promise<void> {
  const { random } = world;
  world.note("the faults are over");
  keepChanges(world);
  heal(world);
  if (random.chance(0.2)) await outage(world, (milliseconds) => pass(world, milliseconds));
  await becomeWell(world);
  for (let left = calm; left > 0; left--) await pass(world, round);
  // Time may have added a row in a place that has foreign content.
  if (attend(world)) await pass(world, round);
  // A host of a later wave may still hold back rows that the clock has just changed.
  if (world.parts.waves && world.judge.unsettled() !== undefined) await pass(world, 2 * round);
  const why = world.judge.unsettled();
  if (why !== undefined) throw new Violation("P1", `settled, and then did not stay so: ${why}`);
  const beyond = await world.judge.beyond();
  if (beyond !== undefined) throw new Violation("P8", beyond);
  if (random.chance(0.7)) return;
  await bystanders(world, (milliseconds) => pass(world, milliseconds));
  await becomeWell(world);
}

async function becomeWell(world: World): Promise<void> {
  let why: string | undefined = "";
  for (let left = rounds; left > 0 && why !== undefined; left--) {
    for (const process of [...world.hosts, ...world.transcribers]) process.start();
    attend(world);
    await pass(world, round);
    why = world.judge.unsettled() ?? world.notices.waiting();
  }
  if (why !== undefined) throw new Violation("P1", `never settled: ${why}`);
}

function heal({ hosts, transcribers, directory, network }: World): void {
  network.lose = 0;
  network.double = 0;
  network.repeat = 0;
  network.delay = 0;
  for (const { link, life } of [...hosts, ...transcribers]) {
    life?.endAfter(Number.POSITIVE_INFINITY, () => {});
    link?.thaw();
    if (link) link.slow = 0;
  }
  for (const { machine, store, kill } of hosts) {
    // A hand edit of the file is noticed at the next run, and a start causes one.
    if (machine.edited) kill();
    for (const fault of Object.keys(machine.faults) as (keyof typeof machine.faults)[]) machine.faults[fault] = 0;
    machine.raw.mend();
    store.full = 0;
  }
  for (const { source } of transcribers) source.lag = 0;
  // Texts that every daemon rejects hold back all rows with them, so they are corrected.
  const bad = [...directory.campus].filter(([, thing]) => thing.kind === "machine" && /bad|broken/.test(thing.name));
  directory.change(
    [],
    bad.map(([uuid]) => uuid),
  );
  if (!directory.up) directory.heal();
}

/**
 * Replaces random names of staged and retained files by names from the seed, so that a schedule replays exactly.
 * Returns a function that undoes it.
 */
function foreseeableNames(seed: number): () => void {
  const { randomBytes, randomUUID } = crypto;
  const { below } = seeded(seed ^ 0x5eed);
  const bytes = (count: number): Buffer => Buffer.from(Array.from({ length: count }, () => below(256)));
  Object.assign(crypto, {
    randomBytes: bytes,
    randomUUID: () => bytes(16).toString("hex"),
  });
  syncBuiltinESMExports();
  return () => {
    Object.assign(crypto, { randomBytes, randomUUID });
    syncBuiltinESMExports();
  };
}
