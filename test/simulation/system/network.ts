import { type MemoryConnection, type MemoryHub, memoryHub } from "../../../src/testing/memory-broker.ts";
import type { Random } from "../../../src/testing/random.ts";
import type { Life } from "./life.ts";
import { type Behind, connectTo, type Link, type Waiting } from "./link.ts";
import type { Time } from "./time.ts";

/** The broker of the world. */
export interface Network {
  readonly hub: MemoryHub;
  connect(life: Life): Link;
  /** Publishes a message from outside trigger. */
  say(key: string, body: string): void;
  /** Publishes a message with an id from outside trigger. It meets the same faults as any other message. */
  send(key: string, body: string, messageId: string): void;
  /** The last message about the rows of a service. */
  said(service: string): string | undefined;
  /** Removes every queue of this name; its consumers find it declared again after a while. */
  loseQueue(name: string): void;
  /** Discards the messages of a queue that are not yet delivered. */
  purge(name: string): void;
  /** Stops the broker, which comes back with an empty disk. */
  loseDisk(downFor: number): void;
  /** True while the broker cannot be reached. */
  isDown(): boolean;
  /** The number of next messages that the broker accepts and loses. */
  lose: number;
  /** The number of next messages that the broker duplicates. */
  double: number;
  /** The number of next messages to hosts that are repeated seconds later. */
  repeat: number;
  /** The number of next messages to hosts that later messages overtake. */
  delay: number;
}

export interface NetworkOptions {
  readonly time: Time;
  readonly random: Random;
  /** Called with each message to the broker. Returns the message to use in its place, or undefined to drop it. */
  readonly see: (key: string, body: string) => string | undefined;
  /** The maximum length of a queue, small so that heads are dropped. */
  readonly queueLimit: number;
  /** Called with the id of each message that queues have accepted; `lost` gets the messages that a queue has lost. */
  readonly arrived: (messageId: string) => void;
  readonly lost: (queue: string, held: readonly { readonly messageId?: string }[]) => void;
  /** True if messages are acknowledged before they are stored. */
  readonly acknowledgedFirst: boolean;
}

/** The longest delay of a message behind those that overtake it, in milliseconds. */
const longestDelay = 15_000;
const hostsKey = /^trigger\.(names|addresses|notices)\b/;

export function network(options: NetworkOptions): Network {
  const { time, random, see, queueLimit, arrived, lost, acknowledgedFirst } = options;
  const hub = memoryHub({ now: () => time.monotonic() });
  const links: Behind["links"] = new Set();
  const node = hub.connect();
  const said = new Map<string, string>();
  let downUntil = 0;
  const world = { lose: 0, double: 0, repeat: 0, delay: 0 };

  async function arrive(connection: MemoryConnection, { key, body, messageId }: Waiting): Promise<void> {
    const seen = see(key, body);
    if (seen === undefined) return;
    if (body.includes('"kind":"rows"')) said.set(key.split(".")[1] ?? "", body);
    if (world.lose > 0) {
      world.lose -= 1;
      return;
    }
    const options = messageId === undefined ? {} : { messageId };
    const give = async (over: MemoryConnection): Promise<void> => {
      const published = over.publish(key, seen, options);
      // Reported before delivery: the receiver may be looked for in the queues.
      if (messageId !== undefined) arrived(messageId);
      await published;
    };
    const later = (): void => {
      const after = time.sleep(1 + random.below(longestDelay));
      void after.then(() => give(node)).catch(() => {});
    };
    const isForHosts = hostsKey.test(key);
    if (isForHosts && world.delay > 0) {
      world.delay -= 1;
      return later();
    }
    if (isForHosts && world.repeat > 0) {
      world.repeat -= 1;
      later();
    }
    const times = world.double > 0 ? 2 : 1;
    world.double -= times - 1;
    for (let left = times; left > 0; left--) await give(connection);
  }

  const behind: Behind = {
    ...{ hub, node, time, random, queueLimit, acknowledgedFirst, links, arrive },
    downUntil: () => downUntil,
  };

  function drop(name: string): void {
    lost(name, hub.look(name));
    hub.drop(name);
  }

  return Object.assign(world, {
    hub,
    connect: (life: Life) => connectTo(behind, life),
    say: (key: string, body: string) => void node.publish(key, body).catch(() => {}),
    send(key: string, body: string, messageId: string) {
      const settle = (): void => {};
      void arrive(node, { key, body, messageId, settle }).catch(() => {});
    },
    said: (service: string) => said.get(service),
    isDown: () => time.monotonic() < downUntil,
    purge(name: string) {
      lost(
        name,
        hub.look(name).filter(({ unacknowledged }) => !unacknowledged),
      );
      hub.purge(name);
    },
    loseQueue(name: string) {
      drop(name);
      for (const { lost } of links) lost(name);
    },
    loseDisk(downFor: number) {
      downUntil = time.monotonic() + downFor;
      for (const { cut } of links) cut(downFor + 1);
      for (const name of queues) drop(name);
    },
  });
}

const queues = ["a", "b"]
  .flatMap((host) => ["names", "addresses", "notices", "control"].map((service) => `trigger-${host}-${service}`))
  .concat(["t1", "t2"].flatMap((host) => [`trigger-${host}-event`, `trigger-${host}-report`]));
