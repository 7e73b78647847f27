import { rollbackWait } from "../../../src/core/stream/epochs.ts";
import type { Host } from "./host.ts";
import type { Transcriber } from "./transcriber.ts";
import type { World } from "./world.ts";

type Step = (world: World) => void;

const withHost =
  (act: (world: World, index: number, host: Host) => void): Step =>
  (world) => {
    const index = world.random.below(world.hosts.length);
    const host = world.hosts[index]!;
    if (host.up) act(world, index, host);
    else if (world.random.chance(0.3)) world.start(index);
  };

const withTranscriber =
  (act: (world: World, index: number, transcriber: Transcriber) => void): Step =>
  (world) => {
    const index = world.random.below(world.transcribers.length);
    act(world, index, world.transcribers[index]!);
  };

const upToThree = ({ random }: World, act: () => void): void => {
  for (let left = 1 + random.below(3); left > 0; left--) act();
};

const changeDirectory: Step = ({ directory, random, note }) => {
  directory.change(random);
  note(() => `the directory moves to state ${directory.head.state}`);
};

const tickClock: Step = ({ directory, note }) => {
  directory.tick();
  note(() => `the clock moves to phase ${directory.head.phase}`);
};

const restoreDirectory: Step = ({ directory, random, note }) => {
  directory.restore(random);
  note(() => `the directory is restored to state ${directory.head.state}`);
};

const passMinute: Step = (world) => {
  world.pass(rollbackWait);
  world.note(() => "a minute has passed");
  for (const transcriber of world.transcribers) transcriber.look(world.now);
};

const crashHost = withHost((world, index, host) => {
  if (world.random.chance(0.6)) world.take(index, { dies: true });
  world.note(() => `host ${index} crashes`);
  host.crash();
});

const restoreStore = withHost((world, index, host) => {
  world.note(() => `host ${index}'s store is restored from its backup`);
  host.crash();
  host.restore();
  world.start(index);
});

const purge = withHost((world, index, { queue }) => {
  world.note(() => `host ${index}'s queue is purged`);
  queue.purge();
});

/** Elects a transcriber. In half of the cases the other one does not notice, and two are active. */
const elect = withTranscriber((world, index, transcriber) => {
  world.note(() => `transcriber ${index} is elected`);
  if (world.random.chance(0.5)) world.transcribers[1 - index]!.retire();
  transcriber.elect(world.now);
});

/** The possible next steps, each with its weight. */
const weights: readonly (readonly [weight: number, step: Step])[] = [
  [16, changeDirectory],
  [8, tickClock],
  [2, restoreDirectory],
  [3, passMinute],

  [44, withHost((world, index) => upToThree(world, () => world.take(index)))],
  [16, withHost((world, _, { queue }) => upToThree(world, () => queue.ack()))],
  [4, crashHost],
  [2, withHost((_world, _index, host) => host.backUp())],
  [1, restoreStore],

  [30, withTranscriber((world, index) => upToThree(world, () => world.hear(index)))],
  [4, withTranscriber((world, index) => world.mishear(index))],
  [24, withTranscriber((world, _, transcriber) => void transcriber.advance(world.now))],
  [8, withTranscriber((world, _, transcriber) => transcriber.look(world.now))],
  [8, withTranscriber((_world, _index, transcriber) => transcriber.digest())],
  [14, withTranscriber((world, _, transcriber) => transcriber.refresh(world.now))],
  [6, elect],
  [2, withTranscriber((_world, _index, transcriber) => transcriber.retire())],
  [3, withTranscriber((world, index) => world.crash(index))],
  [1, withTranscriber(({ random }, _, transcriber) => transcriber.setClock(random.below(200_000) - 100_000))],

  [3, withTranscriber((world, index) => world.stick(index))],
  [5, withTranscriber((world, index) => world.unstick(index))],
  [3, (world) => void world.arriveLate()],
  [2, purge],
  [1, (world) => world.loseBroker()],
];
const lots = weights.flatMap(([weight, step]) => new Array<Step>(weight).fill(step));

/** Runs one random step. */
export function step(world: World): void {
  world.pass(100 + world.random.below(3000));
  lots[world.random.below(lots.length)]!(world);
}
