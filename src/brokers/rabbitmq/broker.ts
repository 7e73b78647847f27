import { isHostUser } from "../../core/config/permissions.ts";
import { exchange, ticksQueue } from "../../core/stream/routing.ts";
import { backoff, jittered } from "../../core/util/backoff.ts";
import { reason } from "../../core/util/errors.ts";
import { onceEach } from "../../core/util/once-each.ts";
import { type Broker, BrokerTrouble, type Consumer, type Delivery, type Queue } from "../../ports/broker.ts";
import type { Clock } from "../../ports/clock.ts";
import { answerAsks, askFor, askKey, type Fault } from "./asks.ts";
import { type Candidate, candidate } from "./candidate.ts";
import type { Connection, Server } from "./connection.ts";
import { type RabbitConsumer, rabbitConsumer } from "./consume.ts";
import { type Address, readAddresses } from "./credentials.ts";
import { deliveryFailures } from "./failures.ts";
import { publisher } from "./publish.ts";
import { isFrom4, type QueueType } from "./queue-arguments.ts";
import { recreator } from "./recreate.ts";
import { keepSession, type Session } from "./session.ts";
import { mendStuckConsumer } from "./stuck-consumer.ts";
import { mendStuck } from "./stuck-ticks.ts";
import { topology } from "./topology.ts";

export interface RabbitOptions extends Address {
  /** The type of new queues; `quorum` by default. */
  readonly queues?: QueueType;
  /** The interval of heartbeats, in seconds. A peer that hangs is noticed after about three intervals. */
  readonly heartbeat?: number;
  /** Takes a line for an operator at each fault, and at its end. */
  readonly log: (line: string) => void;
  /** True for a user that puts its name into each message; the users of hosts by default. */
  readonly namesItself?: (user: string) => boolean;
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random?: () => number;
}

/**
 * The pause before a deleted queue is declared again, in milliseconds. The consumers of a quorum queue are notified of
 * its end 20 to 40 ms after the channel that deleted it. If a queue of that name exists by then, a channel consumes it
 * by itself. The channel then forgets its consumer, and drops the messages (RabbitMQ 3.10).
 */
const deletionHeard = 2_000;
/**
 * The interval between two checks of a standby candidate for ticks in their queue, in milliseconds. `tickChecks` has the
 * number of checks in a row before each remedy.
 */
const tickCheckEvery = 5_000;
const tickChecks = { restart: 3, recreate: 8 };
/** The longest wait of a closing broker for the confirms of its messages, in milliseconds. */
const confirmWait = 5_000;

/**
 * RabbitMQ: a topic exchange and durable queues, over two connections that are opened again whenever they end. Returns
 * when the first node is connected, or all have failed.
 * Without a connection every call throws at once, with the reason. The caller decides which message to send later,
 * and no message waits here without a bound.
 */
export async function rabbitBroker(options: RabbitOptions): Promise<Broker> {
  const {
    queues: type = "quorum",
    heartbeat = 5,
    namesItself = isHostUser,
    log,
    clock,
    random = Math.random,
  } = options;
  const [first, ...others] = readAddresses(options);
  if (!first) throw new Error("the broker has no url");
  const over = new AbortController();
  const { signal } = over;
  const consumers = new Set<RabbitConsumer>();
  const stuck = new Set<() => string | undefined>();
  const candidates = new Set<Consumer>();
  const candidacies = new Set<Candidate>();
  const declared = topology(type, { log, missing: (name) => ask(name, "gone"), exchangeMade });
  const silentRemedy = others.length > 0 ? "trying the next address" : "broker.url may list all nodes of a cluster";
  let undeclared: string | undefined;
  let closing: Promise<void> | undefined;

  // Not every message names its user: a server may know other users by other names, and would refuse the name used here.
  const user = namesItself(first.username) ? first.username : undefined;
  const useless = onceEach(log, clock.monotonic);
  const awaitDeletion = (): Promise<void> => clock.sleep(deletionHeard, signal);
  const nodeSuspected = (): boolean => outgoing.confirmWatch.nodeSuspected;
  const recreate = recreator({ declared, awaitDeletion, askFor: (name) => ask(name, "silent"), nodeSuspected, log });
  const consuming = () => session.current?.consuming;
  const isActive = () => [...candidacies].some(({ active }) => active);
  const answer = answerAsks({ declared, recreate, consuming, isActive, clock, log });
  const failures = deliveryFailures({ declared, recreate, awaitDeletion, consuming, log });
  const repair = async (): Promise<void> => session.current && declareAgain(session.current);
  const outgoing = publisher({ ...failures, addresses: others.length + 1, repair, user, clock, signal });
  const session = keepSession({
    ...{ targets: [first, ...others] as const, heartbeat, clock, random, log, signal },
    async setUp(now) {
      await Promise.race([declareAgain(now), now.ended]);
      await outgoing.begin(now.publishing);
      for (const consumer of consumers) void consumer.resume(now.consuming);
    },
    lost: outgoing.lose,
  });
  await session.tried;

  /**
   * Warns about a new exchange: from 4.3 the server drops the topic permissions with an exchange, and then allows all
   * keys.
   */
  function exchangeMade(server: Server): void {
    if (user === undefined || !isFrom4(server)) return;
    log(
      `exchange ${exchange} was not there, and is made: RabbitMQ 4.3 has dropped the rights to its keys with it, so any host may publish under any key. Run the script of \`trigger permissions\` on a RabbitMQ node`,
    );
  }

  /** Requests a queue from the transcribers, if the server vouches for the user of this connection. */
  function ask(name: string, fault: Fault): void {
    const publishing = session.current?.publishing;
    // A request that is lost with its connection is repeated.
    if (publishing && user !== undefined) askFor(name, fault, user, publishing).catch(() => {});
  }

  /** Waits for the backoff of a number of failures; returns false when the broker object is closed. */
  async function pause(failures: number): Promise<boolean> {
    await clock.sleep(jittered(backoff(failures), random), signal);
    return !signal.aborted;
  }

  /** Declares the remembered queues, once before anything else. After a failure it retries in the background. */
  async function declareAgain(now: Session, failures = 0): Promise<void> {
    try {
      await declared.declare(now.consuming);
      undeclared = undefined;
    } catch (error) {
      const said = `not everything could be declared: ${reason(error)}`;
      if (undeclared !== said) log(`${said}; trying again`);
      undeclared = said;
      void pause(failures + 1).then((goOn) => {
        if (goOn && session.current === now) return declareAgain(now, failures + 1);
      });
    }
  }

  function connected(): Session {
    if (closing) throw new Error(`the broker ${session.target.name} is closed`);
    if (!session.current) throw new BrokerTrouble(session.trouble);
    return session.current;
  }

  async function declare(queues: readonly Queue[]): Promise<void> {
    declared.remember(queues);
    const names = queues.map(({ name }) => name);
    await declared.declare(connected().consuming, names);
  }

  /** Starts a consumer and remembers it until it is closed. */
  async function begin(
    queue: string,
    take: (delivery: Delivery) => void,
    { prefetch, lost, anyPublisher = false }: { prefetch: number; lost?: () => void; anyPublisher?: boolean },
  ): Promise<RabbitConsumer> {
    const { consuming } = connected();
    const keys = () => declared.keysOf(queue);
    const asked = keys()?.includes(askKey) ? answer : undefined;
    const mending = {
      declared,
      recreate: (connection: Connection) => recreate(connection, queue),
      pause,
      awaitDeletion,
    };
    const consumer = rabbitConsumer(queue, take, {
      prefetch,
      keys,
      anyPublisher,
      ...(lost && { lost }),
      ...(asked && { asked }),
      ...mending,
      ...{ log, useless },
    });
    await consumer.begin(consuming);
    consumers.add(consumer);
    if (closing) await consumer.close();
    else if (session.current && session.current.consuming !== consuming) {
      void consumer.resume(session.current.consuming); // reconnected meanwhile
    }
    return {
      ...consumer,
      async close() {
        consumers.delete(consumer);
        await consumer.close();
      },
    };
  }

  async function consume(queue: string, take: (delivery: Delivery) => void, prefetch: number): Promise<Consumer> {
    const consumer = await begin(queue, take, { prefetch });
    const watching = new AbortController();
    const trouble = mendStuckConsumer(queue, {
      ...{ consumer, declared, clock, log, signal: AbortSignal.any([watching.signal, signal]) },
      connection: consuming,
      recreate: (connection) => recreate(connection, queue),
    });
    stuck.add(trouble);
    return {
      async close() {
        watching.abort();
        stuck.delete(trouble);
        await consumer.close();
      },
    };
  }

  async function campaign(election: string, changed: (active: boolean) => void): Promise<Consumer> {
    const name = ticksQueue(election);
    await declare([{ name, keys: [name], limit: { messages: 1, bytes: 1_000, beyond: "drop" } }]);
    const publish = (): Promise<void> => outgoing.publish(name, "tick", undefined);
    const candidacy = candidate(election, { changed, publish, clock, log });
    const watching = new AbortController();
    candidacies.add(candidacy);
    const close = async (): Promise<void> => {
      candidates.delete(membership);
      candidacies.delete(candidacy);
      watching.abort();
      candidacy.close(); // before another candidate gets its ticks
      await consumer?.close();
    };
    const membership = { close };
    let consumer: RabbitConsumer | undefined;
    try {
      // The server chooses the consumer of any tick, so the rights of its publisher do not matter. A dropped message would displace a tick.
      consumer = await begin(name, candidacy.take, { prefetch: 1, lost: candidacy.lose, anyPublisher: true });
    } catch (error) {
      candidacies.delete(candidacy);
      candidacy.close();
      throw error;
    }
    candidates.add(membership);
    void mendStuck({
      ...{ clock, signal: watching.signal, checkEvery: tickCheckEvery, checks: tickChecks },
      heard: () => candidacy.active,
      // An active candidate takes a tick at once, so check after check finds none.
      async holdsMessage() {
        const connection = session.current?.consuming;
        return connection && (await declared.full(connection, [name])).length > 0;
      },
      restart: () => consumer?.restart("no candidate receives its ticks"),
      async recreate() {
        if (session.current) await recreate(session.current.consuming, name);
        consumer?.restart("it was recreated");
      },
    });
    if (closing) await close();
    return membership;
  }

  async function close(): Promise<void> {
    for (const membership of [...candidates]) await membership.close();
    if (session.current?.publishing.blocked === undefined) {
      const waited = new AbortController();
      await Promise.race([outgoing.finished(), clock.sleep(confirmWait, waited.signal)]);
      waited.abort();
    }
    await Promise.all([...consumers].map((consumer) => consumer.close()));
    over.abort();
    await session.done;
  }

  function trouble(): string | undefined {
    const blocked = session.current?.publishing.blocked;
    const waits = blocked && `${session.target.name} takes no messages now (${blocked}): ${outgoing.pending} wait`;
    const ofQueues = [...[...consumers].map((consumer) => consumer.trouble()), ...[...stuck].map((why) => why())];
    const silent = outgoing.confirmWatch.silent
      ? `${session.target.name} confirms no published message: ${silentRemedy}`
      : undefined;
    const all = [session.trouble, waits, silent, undeclared, ...ofQueues];
    return all.filter((one) => one !== undefined).join("; ") || undefined;
  }

  return {
    declare,
    async publish(key, body, { messageId } = {}) {
      connected();
      await outgoing.publish(key, body, messageId);
    },
    consume: (queue, take, { prefetch }) => consume(queue, take, prefetch),
    campaign,
    remove: async (queues) => declared.remove(connected().consuming, queues),
    trouble,
    close() {
      closing ??= close();
      return closing;
    },
  };
}
