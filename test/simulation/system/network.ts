import { type MemoryConnection, type MemoryHub, memoryHub } from "../../../src/testing/memory-broker.ts";
import type { Random } from "../../../src/testing/random.ts";
import type { Life } from "./life.ts";
import { type Behind, connectTo, type Link, type Waiting } from "./link.ts";
import type { Time } from "./time.ts";

/** The broker of the world. */
export interface Network {
  readonly hub: MemoryHub;
  connect(life: Life): Link;
  /** Somebody who is not a process of trigger's publishes. */
  say(key: string, body: string): void;
  /** Somebody publishes a message with an id, which meets what messages meet. */
  send(key: string, body: string, messageId: string): void;
  /** What was said last of the rows of a service. */
  said(service: string): string | undefined;
  /** Every queue of this name is gone; its consumers find it declared anew after a while. */
  loseQueue(name: string): void;
  /** What a queue holds, and is not handed over, is thrown away. */
  purge(name: string): void;
  /** The broker stops and comes back with nothing. */
  loseDisk(downFor: number): void;
  /** Nobody can reach it. */
  isDown(): boolean;
  /** The broker accepts this many messages more that it will not have. */
  lose: number;
  /** The broker has this many messages more twice. */
  double: number;
  /** This many messages more for hosts come once again, seconds later. */
  repeat: number;
  /** This many messages more for hosts are overtaken by those behind them. */
  delay: number;
}

export interface NetworkOptions {
  readonly time: Time;
  readonly random: Random;
  /** Sees every message that the broker is given, and may change it, or take it away (undefined). */
  readonly see: (key: string, body: string) => string | undefined;
  /** The most messages of a queue, few so that heads are dropped. */
  readonly queueLimit: number;
  /** Sees the id of each message that queues have accepted, and what a queue has lost. */
  readonly arrived: (messageId: string) => void;
  readonly lost: (queue: string, held: readonly { readonly messageId?: string }[]) => void;
  /** Messages are acknowledged before they are stored. */
  readonly acknowledgedFirst: boolean;
}

/** The longest that a message is behind those that overtake it, in milliseconds. */
const longestDelay = 15_000;
const hostsKey = /^trigger\.(names|addresses|notices)\b/;

export function network(options: NetworkOptions): Network {
  const { time, random, see, queueLimit, arrived, lost, acknowledgedFirst } = options;
  const hub = memoryHub();
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
      // Before anybody is handed it: who has it may be looked for in the queues.
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
  .flatMap((host) => ["names", "addresses", "notices"].map((service) => `trigger-${host}-${service}`))
  .concat(["t1", "t2"].flatMap((host) => [`trigger-${host}-event`, `trigger-${host}-report`]));
