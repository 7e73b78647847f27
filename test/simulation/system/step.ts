import type { HostProcess, TranscriberProcess, World } from "./world.ts";

/** One possible step of a schedule. */
export type Step = (world: World) => void;

export const pick = <T>({ random }: World, from: readonly T[]): T => from[random.below(from.length)]!;

export const onHost =
  (act: (world: World, host: HostProcess) => void): Step =>
  (world) => {
    const host = pick(world, world.hosts);
    if (host.up || world.random.chance(0.5)) act(world, host);
    host.start();
  };
export const onTranscriber =
  (act: (world: World, transcriber: TranscriberProcess) => void): Step =>
  (world) => {
    const transcriber = pick(world, world.transcribers);
    if (transcriber.up) act(world, transcriber);
    else transcriber.start();
  };
export const onAny =
  (act: (world: World, process: HostProcess | TranscriberProcess) => void): Step =>
  (world) =>
    act(world, pick(world, [...world.hosts, ...world.transcribers]));
