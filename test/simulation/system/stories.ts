import { type Machine, type Person, rock } from "./campus.ts";
import { changeDirectory, takeBack } from "./changes.ts";
import { approveShown } from "./persons.ts";
import { onHost, pick, type Step } from "./step.ts";

/** Stories: several events in sequence, at the worst moments. */

/** A change whose run fails half-way, and which is reverted before the next attempt. */
export const triedAndTakenBack = onHost((world, { name, machine }) => {
  world.note(`on ${name} a run breaks half-way, and its change is taken back`);
  machine.faults.half = 1;
  changeDirectory(world);
  void world.time.sleep(100 + world.random.below(800)).then(() => takeBack(world));
});

/** An install that is interrupted between any two of its steps; its change is reverted before the next one. */
export const cutShort = onHost((world, host) => {
  const { random, time, note } = world;
  const power = random.chance(0.4);
  const steps = random.below(40);
  note(`${host.name} ${power ? "loses power" : "is killed"} after ${steps} steps, and the change is taken back`);
  host.life?.endAfter(steps, () => {
    if (power) host.powerCut();
  });
  changeDirectory(world);
  void time.sleep(1000 + random.below(1000)).then(() => {
    takeBack(world);
    host.start();
  });
});

/** The last messages of one transcriber, which arrive behind the first messages of the next. */
export const lateWord: Step = (world) => {
  const { random, network, time, note, transcribers } = world;
  const [one, other] = random.chance(0.5) ? transcribers : [...transcribers].reverse();
  note(`${one?.name}'s last words are overtaken by ${other?.name}'s first ones`);
  network.delay += 1 + random.below(3);
  // A clock that is behind gives a lower epoch.
  if (other && random.chance(0.3)) {
    other.clock.skew = -3_600_000;
    note(`${other.name}'s clock is an hour behind`);
  }
  changeDirectory(world);
  void time.sleep(random.below(500)).then(() => {
    one?.kill();
    other?.start();
  });
};

/** A clock that is set back during a wait. */
export const setBack: Step = onHost((world, { name, machine }) => {
  const { random, time, note } = world;
  note(`${name}'s clock is set back by an hour while nothing can be applied`);
  machine.faults.reload = time.monotonic() + random.below(10_000);
  changeDirectory(world);
  void time.sleep(random.below(3000)).then(() => {
    machine.skew = -3_600_000;
  });
});

/** A row that time removes, and then a repeated older message. The directory's state does not distinguish the two. */
export const shortLived: Step = (world) => {
  const { random, directory, network, time, note } = world;
  const id = `${time.monotonic()}-${random.below(1e6)}`;
  const lives = 2000 + random.below(4000);
  note(`a machine appears whose owner has paid for ${lives} ms, and messages come again`);
  const owner: Person = { kind: "person", paidUntil: time.now() + lives };
  const ips = [`10.0.0.${11 + random.below(8)}`];
  const machine: Machine = { kind: "machine", name: `n${random.below(8)}`, ips, owner: `p${id}` };
  network.repeat += 1 + random.below(6);
  directory.change([
    [`p${id}`, owner],
    [`m${id}`, machine],
  ]);
  if (random.chance(0.5)) return;
  // A host that starts asks for a digest, which is then sent for this state.
  const host = pick(world, world.hosts);
  void time.sleep(500).then(() => {
    host.kill();
    host.start();
  });
};

/** Removals of machines one by one, more than allowed within an hour. */
export const drip: Step = ({ random, directory, removalLimit, time, note }) => {
  if (removalLimit > 10) return;
  const id = random.below(1e6);
  const machines = Array.from({ length: removalLimit + 1 }, (_, index): [string, Machine] => [
    `m${time.monotonic()}-${id}-${index}`,
    { kind: "machine", name: `d${index}`, ips: [`10.0.0.${30 + index}`], owner: rock.owner },
  ]);
  note(`${machines.length} machines appear, and then go one by one`);
  directory.change(machines);
  for (const [index, [uuid]] of machines.entries()) {
    void time.sleep(4000 + index * 1500).then(() => directory.change([], [uuid]));
  }
};

/** Too many removals at once. They are shown to a person, and one more machine is removed before the approval. */
export const outdated: Step = (world) => {
  const { random, directory, hosts, removalLimit, time, note } = world;
  const id = `${time.monotonic()}-${random.below(1e6)}`;
  const machines = Array.from({ length: removalLimit + 2 }, (_, index): [string, Machine] => [
    `m${id}-${index}`,
    { kind: "machine", name: `o${index}`, ips: [`10.0.0.${50 + index}`], owner: rock.owner },
  ]);
  const uuids = machines.map(([uuid]) => uuid);
  note(`${machines.length} machines appear, and all but one go at once`);
  directory.change(machines);
  // Time enough to apply them, if all is well.
  const gone = 4000 + random.below(4000);
  void time.sleep(gone).then(() => directory.change([], uuids.slice(1)));
  void time.sleep(gone + 3000).then(() => {
    for (const host of hosts) approveShown(world, host);
  });
  if (random.chance(0.3)) return;
  void time.sleep(gone + 3000 + random.below(3000)).then(() => directory.change([], uuids.slice(0, 1)));
};

/** Addresses exchanged in a circle, one entry at a time as in real directories. A process dies in the middle. */
export const exchange: Step = (world) => {
  const { random, directory, note } = world;
  const machines = [...directory.campus].filter(([uuid, { kind }]) => kind === "machine" && uuid !== rock.machine);
  const circle = machines.slice(0, 2 + random.below(2)) as [string, Machine][];
  if (circle.length < 2) return;
  const victim = pick(world, [...world.hosts, ...world.transcribers]);
  const middle = 1 + random.below(circle.length - 1);
  note(
    `${circle.map(([uuid]) => uuid).join(", ")} exchange their addresses one by one; ${victim.name} dies in the middle`,
  );
  for (const [index, [uuid, machine]] of circle.entries()) {
    const { ips } = circle[(index + 1) % circle.length]![1];
    void world.time.sleep(index * 700).then(() => {
      if (index === middle) victim.kill();
      // The machine may be gone by now.
      if (directory.campus.has(uuid)) directory.change([[uuid, { ...machine, ips }]]);
      if (index === middle) victim.start();
    });
  }
};

/** A loss of the broker for some of the processes at once; a transcriber among them also loses the directory. */
export const partition: Step = ({ random, hosts, transcribers, directory, note }) => {
  const milliseconds = 1000 + random.below(30_000);
  const cut = [...hosts, ...transcribers].filter(() => random.chance(0.5));
  const away = directory.up && random.chance(0.3);
  note(
    `${cut.map(({ name }) => name).join(", ") || "nobody"} lose the broker for ${milliseconds} ms${away ? ", and all the directory" : ""}`,
  );
  for (const { link } of cut) link?.cut(milliseconds);
  if (away) directory.fail();
};
