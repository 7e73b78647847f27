import type { Table } from "../../../src/core/service/service.ts";
import { queueName } from "../../../src/core/stream/routing.ts";
import { runHost } from "../../../src/host/host.ts";
import { hostStore } from "../../../src/host/store/host-store.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { type Random, seeded } from "../../../src/testing/random.ts";
import { transcribe } from "../../../src/transcriber/transcriber.ts";
import { followWith } from "../follow-rules.ts";
import { approvingAnything } from "./approvals.ts";
import { type Break, followRules, storeWithout } from "./breaks.ts";
import { firstCampus, serviceNames } from "./campus.ts";
import { type Follower, type WorldDirectory, worldDirectory } from "./directory.ts";
import { distrust, signedBy } from "./forger.ts";
import { type Judge, judge } from "./judge.ts";
import { type Life, life } from "./life.ts";
import type { Link } from "./link.ts";
import { type SimulatedMachine, simulatedMachine } from "./machine.ts";
import { type Network, network } from "./network.ts";
import { type Notices, noticesLedger, plainService } from "./notices.ts";
import { type Watch, watch } from "./others.ts";
import { overhear } from "./overheard.ts";
import { type Parts, partsOf } from "./parts.ts";
import { begunRun, services } from "./services.ts";
import { openStore, type Store } from "./store.ts";
import { type Time, worldTime } from "./time.ts";
import { type WaveWatch, waitsOf, watchWaves, waves } from "./waves.ts";

/**
 * The whole system in one process: the directory, the broker, two transcribers and two hosts, with all faults of the
 * world.
 */
export interface World {
  readonly random: Random;
  readonly time: Time;
  readonly directory: WorldDirectory;
  readonly network: Network;
  readonly hosts: readonly HostProcess[];
  readonly transcribers: readonly TranscriberProcess[];
  readonly judge: Judge;
  readonly watch: Watch;
  readonly notices: Notices;
  readonly parts: Parts;
  readonly waves: WaveWatch | undefined;
  /** The limit of removed rows of a host within an hour. */
  readonly removalLimit: number;
  /** The steps and log lines, in order. */
  readonly log: string[];
  note(line: string): void;
}

interface Process {
  readonly name: string;
  readonly up: boolean;
  readonly link: Link | undefined;
  readonly life: Life | undefined;
  start(): void;
  kill(): void;
  stop(): void;
}
export interface HostProcess extends Process {
  readonly machine: SimulatedMachine;
  readonly store: Store;
  readonly probes: boolean;
  /**
   * The time by which the host counts removals, in milliseconds since 1970: its clock when its process began, plus the
   * time passed since.
   */
  countsBy(): number;
  powerCut(): void;
}
export interface TranscriberProcess extends Process {
  readonly clock: { skew: number };
  readonly source: Follower;
}

const configWith = ({ plain, waves: inWaves }: Parts) => {
  const onHosts = plain ? [...serviceNames, plainService] : serviceNames;
  return {
    timezone: "UTC",
    ...(inWaves ? { waves } : {}),
    hosts: new Map<string, readonly string[]>([
      ["a", onHosts],
      ["b", onHosts],
      ["t1", ["event"]],
      ["t2", ["event"]],
    ]),
  };
};
const codes = new Map([...serviceNames, plainService].map((service) => [service as string, "1"]));
/** The interval between digests, in milliseconds: short, so that schedules are short. */
const digestInterval = 20_000;

export function world(seed: number, without: Break | undefined): World {
  const random = seeded(seed);
  const parts = partsOf(seed, without);
  const config = configWith(parts);
  const time = worldTime();
  const log: string[] = [];
  const say = (line: string): void => void log.push(`${(time.monotonic() / 1000).toFixed(3).padStart(9)} ${line}`);
  // Without a steady clock, pace and backoff use the wall clock.
  const steady = (clock: Clock): Clock => (without === "steady-clock" ? { ...clock, monotonic: clock.now } : clock);
  const { rolledBack, see } = overhear(without);
  const directory = worldDirectory(firstCampus(random), time, { halfRefresh: without === "complete" });

  const ledger = noticesLedger();
  const waveWatch = parts.waves ? watchWaves(time) : undefined;
  const broker = network({
    ...{ time, random, see },
    queueLimit: random.chance(0.5) ? 1000 : 4 + random.below(8),
    arrived: (id) => ledger.arrived(broker.hub, id),
    lost: (queue, held) => ledger.lost(queue, held),
    acknowledgedFirst: without === "stored-first",
  });
  const follow = followWith(followRules(without));
  const removalLimit = random.chance(0.3) ? 2 + random.below(4) : 1000;

  function hostProcess(name: string, probes: boolean): HostProcess {
    const store = openStore(without && storeWithout[without]);
    const machine = simulatedMachine(without, time, {
      see: (text) => judged.seeText(name, text),
      seeRunning: (text) => judged.seeRunning(self, text),
    });
    machine.raw.program("notice", ({ arguments: [id = "", failures] }) => ledger.told(name, id, Number(failures)));
    let link: Link | undefined;
    let up = false;
    let skew = 0;
    const self: HostProcess = {
      ...{ name, store, machine, probes },
      countsBy: () => time.now() + skew,
      get up() {
        return up;
      },
      get link() {
        return link;
      },
      get life() {
        return machine.life;
      },
      start() {
        if (up) return;
        up = true;
        skew = machine.skew;
        const mine = life(() => {
          up = false;
          store.abandon();
          link?.crash();
          say(`${name}: ended`);
        });
        machine.life = mine;
        const database = store.openedBy(mine, () => {
          judged.seeStored(self);
          waveWatch?.committed(self);
        });
        const ended = (how: string): void => {
          if (mine.dead) return;
          say(`${name}: ${how}`);
          mine.kill();
        };
        runHost({
          ...{ name, codes, store: hostStore(database) },
          log(line) {
            say(`${name}: ${line}`);
            const run = begunRun(line);
            if (run) watched.began(name, run.service, run);
            if (run) waveWatch?.began(self, run.service, run);
            // An approval with a digest concerns only the removals that it names, and ends no wait for the wave before.
            if (line === "names: asked to approve by a person") waveWatch?.approved(self, "names");
            if (line.startsWith("names: asked to approve")) judged.approved(self);
            const again = /^names: .* \(again in ([\d.]+) s\)$/s.exec(line);
            if (again) waveWatch?.triesAgain(self, "names", Number(again[1]) * 1000);
          },
          services: services({
            ...{ probes, plain: parts.plain, removes: parts.removes && without !== "refused-remove" },
            hidesRefusals: without === "bisection",
            failed(service) {
              waveWatch?.failed(self, service);
              if (without === "in-doubt" && !mine.dead)
                store.raw.prepare("UPDATE row SET doubt = 0, tried = NULL WHERE service = ?").run(service);
            },
          }),
          follow,
          machineOf: () => machine.seenBy(mine),
          removalLimit: () => removalLimit,
          ...(parts.waves && without !== "wave" ? { waveWithin: waitsOf(name, without) } : {}),
          ...(parts.signed && without !== "signature" ? { distrust } : {}),
          ran(service) {
            if (service === plainService) ledger.ran(name);
            else watched.ran(name, service);
            waveWatch?.ran(self, service);
          },
          clock: steady(time.seenBy(machine)),
          signal: mine.signal,
          connect: async () => {
            if (broker.isDown()) throw new Error("the broker cannot be reached");
            link = broker.connect(mine);
            return without === "approval" ? approvingAnything(link, store) : link;
          },
        }).then(
          () => ended("has stopped"),
          (error) => ended(`cannot continue: ${error}`),
        );
      },
      kill: () => machine.life?.kill(),
      stop: () => machine.life?.stop(),
      powerCut() {
        machine.life?.kill();
        machine.powerCut(random.unit);
        watched.rebooted(name);
      },
    };
    return self;
  }

  function transcriberProcess(name: string): TranscriberProcess {
    const clock = { skew: 0 };
    const source = directory.follower();
    const tables = new Map(
      [...services({ probes: true, failed() {} })].flatMap(([service, definition]): [string, Table][] =>
        "table" in definition ? [[service, definition.table]] : [],
      ),
    );
    let link: Link | undefined;
    let current: Life | undefined;
    let up = false;
    return {
      ...{ name, clock, source },
      get up() {
        return up;
      },
      get link() {
        return link;
      },
      get life() {
        return current;
      },
      start() {
        if (up) return;
        up = true;
        const mine = life(() => {
          up = false;
          link?.crash();
          say(`${name}: ended`);
        });
        current = mine;
        link = broker.connect(mine);
        transcribe({
          ...{ host: name, config, codes, source, services: tables, broker: link },
          ...{ clock: steady(time.seenBy(clock)), random: random.unit, signal: mine.signal, onReport() {} },
          log: (line) => say(`${name}: ${line}`),
          ...(parts.signed ? { sign: (body: string) => signedBy(name, body) } : {}),
          digestInterval: without === "in-band-digest" ? 1e9 : digestInterval,
        }).done.then(
          () => mine.kill(),
          (error) => {
            if (!mine.dead) say(`${name}: cannot continue: ${error}`);
            mine.kill();
          },
        );
      },
      kill: () => current?.kill(),
      stop: () => current?.stop(),
    };
  }

  const hosts = [hostProcess("a", true), hostProcess("b", false)];
  const transcribers = [transcriberProcess("t1"), transcriberProcess("t2")];
  const judged = judge({ hosts, directory, removalLimit, rolledBack, removes: parts.removes });
  const watched = watch(hosts, random);
  return {
    ...{
      random,
      time,
      directory,
      network: broker,
      hosts,
      transcribers,
      judge: judged,
      watch: watched,
      notices: ledger,
      parts,
      waves: waveWatch,
      removalLimit,
      log,
    },
    note: (line) => say(`* ${line}`),
  };
}

/** The names of the queues that carry tables. */
export const tableQueues = ["a", "b"].flatMap((host) => serviceNames.map((service) => queueName(host, service)));
