import { canonical } from "../../../src/core/stream/cells.ts";
import { Violation } from "../violation.ts";
import { type Machine, rock, type ServiceName, serviceNames } from "./campus.ts";
import type { Fault } from "./machine.ts";
import { serves } from "./served.ts";
import { isSecond } from "./waves.ts";
import type { HostProcess, World } from "./world.ts";

/** P5: a lasting fault in one place does not delay a change anywhere else. */

interface Trouble {
  readonly what: string;
  begin(world: World, host: HostProcess): void;
  end(world: World, host: HostProcess): void;
  /**
   * True if the trouble itself affects a service. `here` is true on the host with the trouble, false on the other host.
   */
  hits(service: ServiceName, here: boolean): boolean;
}

/** The longest time until a change is applied, in milliseconds: twice the pace of a service. */
const atOnce = 2000;

const lateUuid = "m-late";
const late: Machine = { kind: "machine", name: "late", ips: ["10.0.0.250"], owner: rock.owner };
const twins: readonly string[] = ["m-twin-1", "m-twin-2"];

/** Useless messages. None that a broker delivers may block the messages behind it. */
const rubbish: readonly string[] = [
  "",
  "{",
  "null",
  "[1, 2]",
  '{"trigger":1,"kind":"rows"}',
  '{"trigger":99,"kind":"digest","service":"names"}',
  '{"trigger":1,"kind":"report","host":"nobody","at":0,"services":{}}',
  "[".repeat(2000),
  `"${"x".repeat(100_000)}"`,
];

/** A lasting fault of one daemon of the machine. */
const daemonFault = (fault: Fault, service: ServiceName, what: string): Trouble => ({
  what,
  begin(_, { machine }) {
    machine.faults[fault] = Number.POSITIVE_INFINITY;
  },
  end(_, { machine }) {
    machine.faults[fault] = 0;
  },
  hits: (one, here) => here && one === service,
});

const troubles: readonly Trouble[] = [
  daemonFault("away", "addresses", "recordd does not answer"),
  daemonFault("hang", "addresses", "recordd hangs"),
  daemonFault("check", "names", "every check fails"),
  daemonFault("reload", "names", "every reload fails"),
  {
    what: "a row makes a text that every check refuses",
    begin: ({ directory }) => directory.change([["m-bad", { ...late, name: "bad-name", ips: ["10.0.0.251"] }]]),
    end: ({ directory }) => directory.change([], ["m-bad"]),
    hits: () => false,
  },
  {
    what: "two machines claim one name and one address, and a third has two",
    begin: ({ directory }) =>
      directory.change([
        ...twins.map((uuid) => [uuid, { ...late, name: "twin", ips: ["10.0.0.252"] }] as const),
        ["m-two", { ...late, name: "two", ips: ["10.0.0.253", "10.0.0.254"] }],
      ]),
    end: ({ directory }) => directory.change([], [...twins, "m-two"]),
    hits: () => false,
  },
  {
    what: "what is in the queues is of no use",
    begin({ network }, { name }) {
      const stranger = network.hub.connect();
      const keys = ["names", "addresses", "notices", `names.${name}`, "event", "report"].map((end) => `trigger.${end}`);
      for (const key of keys) for (const body of rubbish) void stranger.publish(key, body).catch(() => {}); // a full queue refuses
    },
    end: () => {},
    hits: () => false,
  },
  {
    what: "messages take half a minute",
    begin(_, { link }) {
      if (link) link.slow = 30_000;
    },
    end(_, { link }) {
      if (link) link.slow = 0;
    },
    hits: (_, here) => here,
  },
  {
    what: "the store is full",
    begin(_, { store }) {
      store.full = Number.POSITIVE_INFINITY;
    },
    end(_, { store }) {
      store.full = 0;
    },
    hits: (_, here) => here,
  },
  {
    what: "trigger is not running",
    begin: (_, host) => host.kill(),
    end: (_, host) => host.start(),
    hits: (_, here) => here,
  },
];

/** Causes a lasting fault in one place, changes the directory, and checks all other places. */
export async function bystanders(world: World, pass: (milliseconds: number) => Promise<void>): Promise<void> {
  const { hosts, random, directory, parts, note } = world;
  const trouble = troubles[random.below(troubles.length)]!;
  const host = hosts[random.below(hosts.length)]!;
  note(`on ${host.name}: ${trouble.what}`);
  trouble.begin(world, host);
  // A change for the place with the fault, so that the fault takes effect.
  directory.change([["m-first", { ...late, name: "first", ips: ["10.0.0.249"] }]]);
  await pass(random.below(40_000));
  note("the directory: m-late appears");
  directory.change([[lateUuid, late]]);
  await pass(atOnce);
  const cell = canonical({ name: late.name, ip: late.ips[0] });
  for (const other of hosts) {
    for (const service of serviceNames) {
      // A service that waits for another one has a promise of its own.
      if (parts.waves && isSecond(other.name, service)) continue;
      if (trouble.hits(service, other === host) || serves(other, service, cell)) continue;
      const where = `${other.name} ${service} has not got a change within ${atOnce} ms`;
      throw new Violation("P5", `${where}, while on ${host.name}: ${trouble.what}`);
    }
  }
  note("the trouble is over");
  trouble.end(world, host);
}
