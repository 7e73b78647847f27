import { changeDirectory } from "./changes.ts";
import { forge } from "./forger.ts";
import type { Fault } from "./machine.ts";
import { noticeQueues, notify } from "./notices.ts";
import { approve, editByHand, hold } from "./persons.ts";
import { onAny, onHost, onTranscriber, pick, type Step } from "./step.ts";
import {
  cutShort,
  drip,
  exchange,
  lateWord,
  outdated,
  partition,
  setBack,
  shortLived,
  triedAndTakenBack,
} from "./stories.ts";
import { type HostProcess, tableQueues, type World } from "./world.ts";

const hostQueues = ({ parts }: World): readonly string[] =>
  parts.plain ? [...tableQueues, ...noticeQueues] : tableQueues;
const some = ({ random }: World): number => 1 + random.below(3);

const endHost: Step = (world) => {
  const host = pick(world, world.hosts);
  if (!host.up) return host.start();
  const power = world.random.chance(0.4);
  const steps = world.random.below(40);
  world.note(`${host.name} ${power ? "loses power" : "is killed"} after ${steps} steps`);
  host.life?.endAfter(steps, () => {
    if (power) host.powerCut();
  });
};

const killHost: Step = (world) => {
  const host = pick(world, world.hosts);
  if (!host.up) return host.start();
  const how = pick(world, ["is killed", "loses power", "is stopped"] as const);
  world.note(`${host.name} ${how}`);
  if (how === "is killed") host.kill();
  else if (how === "loses power") host.powerCut();
  else host.stop();
};

const endTranscriber = onTranscriber((world, transcriber) => {
  const how = pick(world, ["is killed", "is stopped"] as const);
  world.note(`${transcriber.name} ${how}`);
  if (how === "is killed") transcriber.kill();
  else transcriber.stop();
});

const cut = onAny((world, { name, link }) => {
  const milliseconds = 100 + world.random.below(20_000);
  world.note(`${name} loses the broker for ${milliseconds} ms`);
  link?.cut(milliseconds);
});

const slow = onAny((world, { name, link }) => {
  if (!link) return;
  link.slow = link.slow > 0 ? 0 : 1 + world.random.below(4000);
  world.note(`messages of ${name} take ${link.slow} ms`);
});

const freeze = onAny((world, { name, link }) => {
  world.note(`the broker's node of ${name} ${link?.frozen ? "goes on" : "is paused"}`);
  if (link?.frozen) link.thaw();
  else link?.freeze();
});

const believe = onTranscriber((world, { name, link }) => {
  const milliseconds = 1000 + world.random.below(10_000);
  world.note(`${name} believes to be the active one for ${milliseconds} ms`);
  link?.believe(milliseconds);
});

const lose: Step = (world) => {
  world.network.lose += some(world);
  world.note(`the broker loses ${world.network.lose} messages`);
};
const double: Step = (world) => {
  world.network.double += some(world);
  world.note(`the broker has ${world.network.double} messages twice`);
};
const repeat: Step = (world) => {
  world.network.repeat += some(world);
  world.note(`${world.network.repeat} messages come again later`);
};
const delay: Step = (world) => {
  world.network.delay += some(world);
  world.note(`${world.network.delay} messages are overtaken`);
};
const redeliver = onAny((world, { name, link }) => {
  world.note(`${name} is given again what it acknowledged`);
  link?.redeliver();
});
const loseQueue: Step = (world) => {
  const queue = pick(world, hostQueues(world));
  world.note(`${queue} is lost`);
  world.network.loseQueue(queue);
};
const purge: Step = (world) => {
  const queue = pick(world, hostQueues(world));
  world.note(`${queue} is purged`);
  world.network.purge(queue);
};
const loseDisk: Step = (world) => {
  const milliseconds = 100 + world.random.below(10_000);
  world.note(`the broker loses its disk, and is away for ${milliseconds} ms`);
  world.network.loseDisk(milliseconds);
};

const directoryAway: Step = ({ directory, note }) => {
  note(`the directory ${directory.up ? "cannot be reached" : "can be reached again"}`);
  if (directory.up) directory.fail();
  else directory.heal();
};
const backUp: Step = ({ directory, note }) => {
  note("the directory is backed up");
  directory.backUp();
};
const restoreDirectory: Step = ({ directory, note }) => {
  note("the directory is restored from its backup");
  directory.restore();
};
const cutRefresh = onTranscriber((world, { name, source }) => {
  world.note(`${name}'s refresh breaks half-way`);
  source.cut();
});
const lag = onTranscriber((world, { name, source }) => {
  source.lag = source.lag > 0 ? 0 : world.random.below(30_000);
  world.note(`${name} hears of the directory ${source.lag} ms late`);
});

const machineFault = onHost((world, { name, machine, probes }) => {
  const fault = pick(
    world,
    (["check", "reload", "deaf", "deaf", "half", "half", "away", "hang"] as Fault[]).filter(
      (one) => probes || one !== "deaf",
    ),
  );
  if (fault === "check" || fault === "reload") {
    const milliseconds = world.random.below(20_000);
    machine.faults[fault] = world.time.monotonic() + milliseconds;
    world.note(`on ${name} every ${fault} fails for ${milliseconds} ms`);
  } else {
    machine.faults[fault] += some(world);
    world.note(`on ${name}: ${fault}, ${machine.faults[fault]} times`);
  }
  if (world.random.chance(0.7)) changeDirectory(world);
});
const slowDisk = onHost((world, { name, machine }) => {
  machine.faults.slow = machine.faults.slow > 0 ? 0 : 1 + world.random.below(400);
  world.note(`on ${name} each step of the disk and each command takes ${machine.faults.slow} ms`);
});
const diskFault = onHost((world, { name, machine }) => {
  const step = pick(world, [/^(create|write) /, /^sync /, /^rename /, /^link /]);
  const code = pick(world, ["EIO", "ENOSPC"]);
  world.note(`on ${name}: ${step.source} gives ${code}`);
  machine.raw.fail(step, code, some(world));
  if (world.random.chance(0.7)) changeDirectory(world);
});
const storeFull = onHost((world, { name, store }) => {
  store.full += 1 + world.random.below(10);
  world.note(`the store of ${name} is full for ${store.full} writes`);
});
const storeCopied = onHost((world, host) => {
  world.note(`the store of ${host.name} is backed up`);
  host.store.backUp();
});
const forgetStore = ({ judge, notices, network }: World, { name }: HostProcess): void => {
  judge.forget(name);
  notices.forget(network.hub, name);
};
const storeRestored = onHost((world, host) => {
  host.kill();
  const restored = host.store.restore();
  if (restored) forgetStore(world, host);
  world.note(`the store of ${host.name} is ${restored ? "restored from its backup" : "left as it is"}`);
});
const storeGone = onHost((world, host) => {
  host.kill();
  host.store.wipe();
  forgetStore(world, host);
  world.note(`the store of ${host.name} is deleted`);
});
const restartDaemon = onHost((world, { name, machine }) => {
  const daemon = pick(world, ["named", "recordd"] as const);
  world.note(`${daemon} of ${name} is restarted`);
  machine.restart(daemon);
});
const jump: Step = (world) => {
  const clock = pick(world, [
    ...world.hosts.map(({ machine }) => machine),
    ...world.transcribers.map((one) => one.clock),
  ]);
  clock.skew = pick(world, [0, -3_600_000, 60_000, 600_000, -1000]);
  world.note(`a clock is ${clock.skew} ms off`);
};

const weights: readonly (readonly [weight: number, step: Step])[] = [
  [30, changeDirectory],
  [6, endHost],
  [4, killHost],
  [6, endTranscriber],
  [5, cut],
  [2, slow],
  [3, freeze],
  [2, believe],
  [2, lose],
  [2, double],
  [2, repeat],
  [2, delay],
  [3, redeliver],
  [2, loseQueue],
  [2, purge],
  [1, loseDisk],
  [2, directoryAway],
  [2, backUp],
  [1.5, restoreDirectory],
  [2, cutRefresh],
  [5, lag],
  [6, machineFault],
  [3, triedAndTakenBack],
  [4, shortLived],
  [4, cutShort],
  [4, lateWord],
  [2, setBack],
  [4, drip],
  [3, exchange],
  [2, partition],
  [3, editByHand],
  [2, hold],
  [3, approve],
  [3, slowDisk],
  [3, diskFault],
  [1.5, storeFull],
  [1, storeCopied],
  [1, storeRestored],
  [0.5, storeGone],
  [3, restartDaemon],
  [2, jump],
];
/** The weights of all steps, including those of the schedule's optional parts. */
const weightsOf = ({ parts, removalLimit }: World): typeof weights => [
  ...weights,
  [parts.plain ? 18 : 0, notify],
  [parts.signed ? 12 : 0, forge],
  [removalLimit <= 10 ? 10 : 0, outdated],
];

/** Runs the step that the dice of the world choose. */
export function step(world: World): void {
  const weights = weightsOf(world);
  let at = world.random.unit() * weights.reduce((sum, [weight]) => sum + weight, 0);
  const chosen = weights.find(([weight]) => {
    at -= weight;
    return at < 0;
  });
  chosen?.[1](world);
}
