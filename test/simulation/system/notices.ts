import { z } from "zod";
import { type Service, service } from "../../../src/core/service/service.ts";
import { hostKey, queueName, serviceKey } from "../../../src/core/stream/routing.ts";
import type { MemoryHub } from "../../../src/testing/memory-broker.ts";
import { Violation } from "../violation.ts";
import { pick, type Step } from "./step.ts";
import type { HostProcess } from "./world.ts";

/** A plain service with messages that have ids. Each message that a queue has accepted is handled or parked. */

export const plainService = "notices";

/** The queues of its messages. */
export const noticeQueues = ["a", "b"].map((host) => queueName(host, plainService));

/** The number of failures of a message that always fails, and is therefore parked. */
const always = 99;

const schema = z.object({ id: z.string(), failures: z.number() });

export const notices: Service = service<unknown>(schema, async (body, host) => {
  const { id, failures } = schema.parse(body);
  await host.tell(["notice", id, `${failures}`]);
}) as Service;

/** Publishes some messages, some of them twice, as after a lost confirmation. A host may die while it handles them. */
export const notify: Step = (world) => {
  const { random, network, time, note } = world;
  if (network.isDown()) return;
  for (let left = 1 + random.below(4); left > 0; left--) {
    const id = `n${time.monotonic()}-${random.below(1e6)}`;
    const key = random.chance(0.5) ? serviceKey(plainService) : hostKey(plainService, pick(world, world.hosts).name);
    const failures = random.chance(0.1) ? always : random.chance(0.2) ? 1 + random.below(2) : 0;
    note(`a publisher sends ${id} under ${key}, which fails ${failures === always ? "always" : `${failures} times`}`);
    const say = (): void => network.send(key, JSON.stringify({ id, failures }), id);
    say();
    if (random.chance(0.2)) void time.sleep(random.below(3000)).then(say);
  }
  if (random.chance(0.4)) return;
  const host = pick(world, world.hosts);
  const power = random.chance(0.4);
  const steps = random.below(3);
  note(`${host.name} ${power ? "loses power" : "is killed"} after ${steps} steps`);
  host.life?.endAfter(steps, () => {
    if (power) host.powerCut();
  });
};

/** The fate of each message on each host. */
export interface Notices {
  /** Called when the broker has accepted a message. */
  arrived(hub: MemoryHub, id: string): void;
  /** Called when the broker has lost the messages of a queue. */
  lost(queue: string, held: readonly { readonly messageId?: string }[]): void;
  /** Called when the machine of a host handles a message. The result is that of the command. */
  told(host: string, id: string, failures: number): { readonly code?: number; readonly stderr?: string };
  /** Called when a host has handled or parked its message. */
  ran(host: string): void;
  /** Called when a host's store is replaced: its stored messages and ids are gone. */
  forget(hub: MemoryHub, host: string): void;
  /** Throws if a message is lost or was handled twice. */
  look(hub: MemoryHub, hosts: readonly HostProcess[]): void;
  /** The id of a message that is still to be handled; undefined if none. */
  waiting(): string | undefined;
}

interface Handled {
  /** The messages that the queue has accepted and that are not yet handled or parked. */
  readonly open: Set<string>;
  /** The messages handled at least once. */
  readonly told: Set<string>;
  readonly failures: Map<string, number>;
  /** The messages handled in a run that ended well. */
  readonly settled: Set<string>;
  /** The message handled last, in a run whose end is not yet known. */
  last?: string | undefined;
}

export function noticesLedger(): Notices {
  const of = new Map(
    ["a", "b"].map((host): [string, Handled] => [
      host,
      { open: new Set(), told: new Set(), failures: new Map(), settled: new Set() },
    ]),
  );
  let seen: Violation | undefined;
  const idsIn = (hub: MemoryHub, host: string): Set<string | undefined> =>
    new Set(hub.look(queueName(host, plainService)).map(({ messageId }) => messageId));

  return {
    arrived(hub, id) {
      for (const [host, { open, told }] of of) if (!told.has(id) && idsIn(hub, host).has(id)) open.add(id);
    },
    lost(queue, held) {
      const { open } = [...of].find(([host]) => queueName(host, plainService) === queue)?.[1] ?? {};
      for (const { messageId = "" } of held) open?.delete(messageId);
    },
    told(host, id, failures) {
      const handled = of.get(host)!;
      const failed = handled.failures.get(id) ?? 0;
      if (failed < failures) {
        handled.failures.set(id, failed + 1);
        return { code: 1, stderr: "no receiver" };
      }
      if (handled.settled.has(id))
        seen ??= new Violation("plain", `${host}: ${id} is handled again, although its run had ended well`);
      handled.open.delete(id);
      handled.told.add(id);
      handled.last = id;
      return {};
    },
    ran(host) {
      const handled = of.get(host)!;
      if (handled.last !== undefined) handled.settled.add(handled.last);
      handled.last = undefined;
    },
    forget(hub, host) {
      const handled = of.get(host)!;
      const there = idsIn(hub, host);
      for (const id of handled.open) if (!there.has(id)) handled.open.delete(id);
      handled.settled.clear();
      handled.last = undefined;
    },
    look(hub, hosts) {
      if (seen) throw seen;
      for (const { name, store } of hosts) {
        const { open } = of.get(name)!;
        if (open.size === 0) continue;
        const stored = new Map(
          store.raw
            .prepare("SELECT message_id, state FROM message WHERE service = ?")
            .all(plainService)
            .map(({ message_id, state }) => [message_id, state]),
        );
        const there = idsIn(hub, name);
        for (const id of open) {
          if (stored.get(id) === "parked") open.delete(id);
          else if (!stored.has(id) && !there.has(id))
            throw new Violation("plain", `${name}: ${id} was accepted, and is neither handled, parked nor waiting`);
        }
      }
    },
    waiting() {
      for (const [host, { open }] of of) for (const id of open) return `${host} ${plainService}: ${id} waits`;
      return undefined;
    },
  };
}
