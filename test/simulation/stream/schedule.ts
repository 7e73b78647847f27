import type { Safeguards } from "../../../src/core/follow.ts";
import type { StreamMessage } from "../../../src/core/stream.ts";
import { type Host, host, type Said, Violation } from "./host.ts";
import { seeded } from "./random.ts";
import { type Habits, type Sent, type Transcriber, transcriber } from "./transcriber.ts";
import { stateOf, truth } from "./truth.ts";

/** One random schedule: a service, two transcribers, two hosts, a broker between them, and everything that can go wrong. */

/** Every rule of the stream that a run can take away. */
export interface Rules extends Safeguards, Habits {
  /** A host says aloud what it refuses. */
  readonly spokenRefusal: boolean;
}
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

const hostCount = 2;
const transcriberCount = 2;

/** Plays the schedule of a seed, and throws the `Violation` that it finds; `trace` hears every step. */
export function play(seed: number, rules: Rules = allRules, trace?: (line: string) => void): void {
  const random = seeded(seed);
  const directory = truth();
  const broker = { epoch: 0 };
  let now = 1_000_000;
  const note = (line: () => string) => trace?.(`${((now - 1_000_000) / 1000).toFixed(1).padStart(7)} s  ${line()}`);

  const hosts = Array.from({ length: hostCount }, () => host(directory, rules));
  /** What a transcriber has published and its node of the broker has not passed on: `undefined` when nothing is in the way. */
  const stuck: (Sent[] | undefined)[] = [];
  /** What was stuck when its publisher died; it may still arrive. */
  let late: Sent[][] = [];
  const inboxes = Array.from({ length: transcriberCount }, (): Said[] => []);
  const transcribers = inboxes.map((_, index) =>
    transcriber(`transcriber ${index}`, {
      truth: directory,
      random,
      habits: rules,
      broker,
      send(sent) {
        note(() => `transcriber ${index} says ${named(sent.message)}${sent.to === "all" ? "" : ` to host ${sent.to}`}`);
        const waiting = stuck[index];
        if (waiting) waiting.push(sent);
        else route(sent);
      },
      trace: note,
    }),
  );

  function route({ to, message }: Sent): void {
    if (to === "all") for (const { queue } of hosts) queue.push(message);
    else hosts[to]?.queue.push(message);
  }
  function unstick(index: number): void {
    const waiting = stuck[index] ?? [];
    stuck[index] = undefined;
    waiting.forEach(route);
  }
  function say(said: Said): void {
    for (const inbox of inboxes) inbox.push(said);
  }

  function take(index: number, { dies = false } = {}): boolean {
    const taking = hosts[index]!;
    const taken = taking.take();
    if (!taken) return false;
    const { message, followup } = taken;
    note(() => `host ${index} takes ${named(message)}: ${outcome(followup)}${dies ? ", and dies" : ""}`);
    if (dies) return true;
    if (followup.ask) say({ kind: "ask", host: index, want: followup.ask });
    const { mark } = followup.followed;
    if (followup.refused && mark && rules.spokenRefusal) {
      const { epoch, asOf } = mark;
      say({ kind: "refusal", epoch, asOf, refused: message.epoch, because: followup.refused });
    }
    return true;
  }
  function start(index: number): void {
    note(() => `host ${index} starts`);
    hosts[index]!.start();
    say({ kind: "ask", host: index, want: "digest" });
  }
  function hear(index: number): boolean {
    const said = inboxes[index]!.shift();
    if (said) transcribers[index]!.hear(said, now);
    return said !== undefined;
  }

  const anyHost = () => random.below(hostCount);
  const anyTranscriber = () => random.below(transcriberCount);
  const withHost = (act: (host: Host, index: number) => void) => () => {
    const index = anyHost();
    const chosen = hosts[index]!;
    if (chosen.up) act(chosen, index);
    else if (random.chance(0.3)) start(index);
  };
  const withTranscriber = (act: (transcriber: Transcriber, index: number) => void) => () => {
    const index = anyTranscriber();
    act(transcribers[index]!, index);
  };

  /** What may happen next, each as often as its weight says. */
  const steps: [weight: number, step: () => void][] = [
    [
      16,
      () => {
        directory.change(random);
        note(() => `the directory moves to state ${directory.head.state}`);
      },
    ],
    [
      8,
      () => {
        directory.tick();
        note(() => `the clock moves to phase ${directory.head.phase}`);
      },
    ],
    [
      1,
      () => {
        directory.restore(random);
        note(() => `the directory is restored to state ${directory.head.state}`);
      },
    ],
    [
      44,
      withHost((_, index) => {
        for (let count = 1 + random.below(3); count > 0; count--) take(index);
      }),
    ],
    [
      16,
      withHost(({ queue }) => {
        for (let count = 1 + random.below(3); count > 0; count--) queue.ack();
      }),
    ],
    [
      4,
      withHost((dying, index) => {
        if (random.chance(0.6)) take(index, { dies: true });
        note(() => `host ${index} crashes`);
        dying.crash();
      }),
    ],
    [2, withHost((saved) => saved.backUp())],
    [
      1,
      withHost((restored, index) => {
        note(() => `host ${index}'s store is restored from its backup`);
        restored.crash();
        restored.restore();
        start(index);
      }),
    ],
    [
      30,
      () => {
        const index = anyTranscriber();
        for (let count = 1 + random.below(3); count > 0; count--) hear(index);
      },
    ],
    [4, () => void inboxes[anyTranscriber()]!.shift()],
    [24, withTranscriber((reader) => void reader.advance(now))],
    [8, withTranscriber((looking) => looking.look(now))],
    [8, withTranscriber((speaking) => speaking.digest())],
    [14, withTranscriber((reader) => reader.refresh(now))],
    [
      6,
      withTranscriber((elected, index) => {
        note(() => `transcriber ${index} is elected`);
        if (random.chance(0.5)) transcribers[1 - index]!.retire();
        elected.elect(now);
      }),
    ],
    [2, withTranscriber((stopping) => stopping.retire())],
    [
      3,
      withTranscriber((dying, index) => {
        note(() => `transcriber ${index} crashes`);
        dying.crash();
        const waiting = stuck[index];
        stuck[index] = undefined;
        if (waiting && random.chance(0.7)) late.push(waiting);
      }),
    ],
    [3, withTranscriber((_, index) => void (stuck[index] ??= []))],
    [5, withTranscriber((_, index) => unstick(index))],
    [
      3,
      () => {
        late.shift()?.forEach(route);
      },
    ],
    [1, withTranscriber((skewed) => skewed.setClock(random.below(200_000) - 100_000))],
    [
      2,
      withHost(({ queue }, index) => {
        note(() => `host ${index}'s queue is purged`);
        queue.purge();
      }),
    ],
    [
      1,
      () => {
        note(() => "the broker is lost with its disk");
        broker.epoch = 0;
        late = [];
        for (const { queue } of hosts) queue.lose();
        for (const inbox of inboxes) inbox.length = 0;
      },
    ],
  ];
  const total = steps.reduce((sum, [weight]) => sum + weight, 0);
  function step(): void {
    now += 100 + random.below(3000);
    let left = random.below(total);
    for (const [weight, act] of steps) {
      left -= weight;
      if (left < 0) return act();
    }
  }

  /** The faults are over: one transcriber is active, everything that is said is heard. */
  function settle(): void {
    note(() => "the faults are over");
    for (const index of stuck.keys()) unstick(index);
    for (const waiting of late) waiting.forEach(route);
    const believing = transcribers.filter(({ believes }) => believes);
    const active = believing[random.below(believing.length)] ?? transcribers[anyTranscriber()]!;
    for (const other of transcribers) if (other !== active) other.retire();
    if (!active.believes) active.elect(now);
    for (const [index, { up, queue }] of hosts.entries()) {
      if (!up) start(index);
      while (queue.unacknowledged > 0) queue.ack();
    }

    for (let round = 0; round < settlingRounds; round++) {
      now += digestInterval;
      active.refresh(now);
      while (active.advance(now));
      active.look(now);
      active.digest();
      for (let moving = true, turns = 0; moving && turns < settlingTurns; turns++) {
        moving = false;
        for (const index of hosts.keys()) {
          while (take(index)) {
            hosts[index]!.queue.ack();
            moving = true;
          }
        }
        for (const index of transcribers.keys()) while (hear(index)) moving = true;
      }
      if (hosts.every(({ holds }) => holds(directory.head))) return;
    }
    throw new Violation("the tables never became equal", `after ${settlingRounds} digests without a fault`);
  }

  transcribers[0]!.refresh(now);
  transcribers[0]!.refresh(now);
  transcribers[0]!.elect(now);
  for (let left = 40 + random.below(60); left > 0; left--) step();
  settle();
}

const digestInterval = 20_000;
const settlingRounds = 40;
const settlingTurns = 60;

const named = (message: StreamMessage): string => {
  const place = `(${message.epoch}, ${message.seq}) as of state ${stateOf(message.asOf.state)}, phase ${message.asOf.clock}`;
  if (message.kind === "digest") return `a digest${message.buckets ? " with buckets" : ""} ${place}`;
  const rows = message.rows.map(([key, cell]) => `${key}=${cell ?? "gone"}`).join(" ");
  if (message.kind === "part") return `the part [${message.from}, ${message.to}) ${place}: ${rows || "nothing"}`;
  return `rows ${place}, piece ${message.piece}${message.more ? " of more" : ""}: ${rows}`;
};

const outcome = ({
  refused,
  dropped,
  followed,
  ask,
}: ReturnType<typeof import("../../../src/core/follow.ts").follow>) =>
  refused
    ? `refused, its ${refused} is older`
    : dropped
      ? `dropped, ${dropped}`
      : `taken${followed.doubt ? ", in doubt" : ""}${ask ? `, asks for ${JSON.stringify(ask)}` : ""}`;
