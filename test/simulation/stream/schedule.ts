import { Violation } from "../violation.ts";
import { step } from "./steps.ts";
import { type Rules, type World, world } from "./world.ts";

export const allRules: Rules = {
  epoch: true,
  asOf: true,
  duplicate: true,
  late: true,
  spokenRefusal: true,
  uniqueEpoch: true,
  inBandDigest: true,
  complete: true,
};

/** Plays the schedule of a seed and gives the violation that it finds; `trace` hears every step. */
export function play(seed: number, rules: Rules = allRules, trace?: (line: string) => void): Violation | undefined {
  const played = world(seed, rules, trace);
  try {
    const [first] = played.transcribers;
    first?.refresh(played.now);
    first?.refresh(played.now);
    first?.elect(played.now);
    for (let left = 40 + played.random.below(60); left > 0; left--) step(played);
    settle(played);
  } catch (error) {
    if (error instanceof Violation) return error;
    throw error;
  }
  return undefined;
}

const digestInterval = 20_000;
const rounds = 40;
const turns = 60;

/** The faults are over: one transcriber is active, everything that is said is heard, and the tables become equal. */
function settle(world: World): void {
  const { hosts, transcribers, random, directory } = world;
  world.note(() => "the faults are over");
  for (const index of transcribers.keys()) world.unstick(index);
  while (world.arriveLate());
  const believing = transcribers.filter(({ believes }) => believes);
  const active = believing[random.below(believing.length)] ?? transcribers[random.below(transcribers.length)]!;
  for (const other of transcribers) if (other !== active) other.retire();
  if (!active.believes) active.elect(world.now);
  for (const [index, { up, queue }] of hosts.entries()) {
    if (!up) world.start(index);
    while (queue.unacknowledged > 0) queue.ack();
  }

  for (let round = 0; round < rounds; round++) {
    world.pass(digestInterval);
    active.refresh(world.now);
    while (active.advance(world.now));
    active.look(world.now);
    active.digest();
    for (let turn = 0; turn < turns && exchange(world); turn++);
    if (hosts.every(({ holds }) => holds(directory.head))) return;
  }
  throw new Violation("the tables never became equal", `after ${rounds} digests without a fault`);
}

/** Everyone takes and hears what there is; false when there was nothing. */
function exchange(world: World): boolean {
  let moved = false;
  for (const [index, { queue }] of world.hosts.entries()) {
    while (world.take(index)) {
      queue.ack();
      moved = true;
    }
  }
  for (const index of world.transcribers.keys()) while (world.hear(index)) moved = true;
  return moved;
}
