import { backoff, jittered } from "../../core/util/backoff.ts";
import { reason } from "../../core/util/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import { type Connection, openConnection } from "./connection.ts";
import type { Target } from "./credentials.ts";

/** The two connections of a broker object. The end of one ends the other. */
export interface Session {
  readonly consuming: Connection;
  readonly publishing: Connection;
  readonly ended: Promise<string>;
  close(): Promise<void>;
}

export interface SessionOptions {
  /** The nodes of the server. After one that is lost or cannot be reached, the next is tried. */
  readonly targets: readonly [Target, ...Target[]];
  /** The interval of heartbeats, in seconds. */
  readonly heartbeat: number;
  /** Declares and consumes everything over new connections. */
  readonly setUp: (session: Session) => Promise<void>;
  /** Called with the reason when the connections have ended. */
  readonly lost: (why: string) => void;
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** A session that is reopened each time it ends. */
export interface KeptSession {
  /** The node that is in use, or is tried. */
  readonly target: Target;
  /** The present session; undefined while there is none. */
  readonly current: Session | undefined;
  /** The reason why there is no session. */
  readonly trouble: string | undefined;
  /** Resolves when the first node is connected, or all have failed. */
  readonly tried: Promise<void>;
  /** Resolves when everything is closed after the signal. */
  readonly done: Promise<void>;
}

/** The duration of a good session, in milliseconds: the next failure is then the first of a row. */
const goodAfter = 10_000;

export function keepSession(options: SessionOptions): KeptSession {
  const { targets, heartbeat, setUp, lost, clock, random, log, signal } = options;
  let current: Session | undefined;
  let target = targets[0];
  /** The reasons why nodes failed since the last connection: each is logged once. */
  const saidFailed = new Set<string>();
  let trouble: string | undefined = `connecting to ${target.name}`;
  const { promise: tried, resolve: hasTried } = Promise.withResolvers<void>();
  const { promise: aborted, resolve: abort } = Promise.withResolvers<string>();
  signal.addEventListener("abort", () => abort("closed"), { once: true });

  /** Connects and waits for the end of the connections; returns their duration in milliseconds. */
  async function live(): Promise<number> {
    const session = await openSession(target, heartbeat, log);
    const since = clock.monotonic();
    try {
      current = session;
      await setUp(session);
      if (trouble !== undefined) sayConnected(session);
      trouble = undefined;
      saidFailed.clear();
      hasTried();
      const why = await Promise.race([session.ended, aborted]);
      if (!signal.aborted) {
        trouble = `the connection to ${target.name} was lost: ${why}`;
        log(`${trouble}; connecting again`);
      }
    } finally {
      current = undefined;
      lost(trouble ?? "closed");
      await session.close();
    }
    return clock.monotonic() - since;
  }

  function sayConnected({ consuming: { server } }: Session): void {
    log(`connected to ${target.name} (${server.product} ${server.version})`);
  }

  async function run(): Promise<void> {
    for (const { name } of targets.filter(({ inClear }) => inClear)) {
      log(`${name}: passwords and messages cross the network in clear; amqps:// does not`);
    }
    for (let failures = 0; !signal.aborted; ) {
      try {
        failures = (await live()) < goodAfter ? failures + 1 : 1;
      } catch (error) {
        const said = `${target.name} cannot be used: ${reason(error)}`;
        if (!saidFailed.has(said) && !signal.aborted) log(`${said}; trying again`);
        saidFailed.add(said);
        trouble = said;
        failures += 1;
      }
      target = targets[(targets.indexOf(target) + 1) % targets.length] ?? targets[0];
      if (failures >= targets.length) hasTried();
      await clock.sleep(jittered(backoff(failures), random), signal);
    }
    hasTried();
  }

  return {
    get target() {
      return target;
    },
    get current() {
      return current;
    },
    get trouble() {
      return trouble;
    },
    tried,
    done: run(),
  };
}

async function openSession(target: Target, heartbeat: number, log: (line: string) => void): Promise<Session> {
  const consuming = await openConnection(target, "consumes", heartbeat, log);
  const publishing = await openConnection(target, "publishes", heartbeat, log).catch(async (error) => {
    await consuming.close();
    throw error;
  });
  return {
    consuming,
    publishing,
    ended: Promise.race([consuming.ended, publishing.ended]),
    async close() {
      await Promise.all([consuming.close(), publishing.close()]);
    },
  };
}
