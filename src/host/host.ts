import { queueName } from "../core/stream/routing.ts";
import { backoff } from "../core/util/backoff.ts";
import { reason } from "../core/util/errors.ts";
import { persist } from "../core/util/persist.ts";
import type { Broker } from "../ports/broker.ts";
import type { Clock } from "../ports/clock.ts";
import { type HostedService, hostService } from "./hosted-service.ts";
import { type Control, control } from "./inbox/control.ts";
import type { HostOptions } from "./options.ts";
import { reporter } from "./report/reporter.ts";
import { transcriberLook } from "./report/transcriber-report.ts";
import { daemonComparer } from "./run/compare-daemon.ts";

/** The intervals of a host's full report, and of its checks of broker and daemons, in milliseconds. */
const reportInterval = 60_000;
const brokerInterval = 1000;
const transcriberInterval = 1000;
const daemonInterval = 10_000;
/**
 * The longest time that a host waits for the first runs of its services before it connects to the broker, in
 * milliseconds.
 */
const firstRuns = 10_000;

/**
 * Runs one host until the signal: first every service once from the store, then with the messages of the broker. Throws
 * `Unusable` if the store turns out to be damaged.
 */
export async function runHost(given: HostOptions): Promise<void> {
  const { store, clock, log } = given;
  const damaged = new AbortController();
  const signal = AbortSignal.any([given.signal, damaged.signal]);
  const options = { ...given, signal };
  let reportChanged = (): void => {};
  const compareInTurn = daemonComparer({ clock, signal });
  const hosted = begin();
  const orders = openOrders(options, hosted);
  const ended = Promise.race([Promise.all(hosted.map(({ ended }) => ended)), orders.damaged]);
  // Without its store a host can do nothing: everything ends, and then the reason is thrown.
  ended.catch((error) => damaged.abort(error));
  sayLeftBehind(options);
  const local = serveLocally(options, orders);

  const started = new AbortController();
  const allStarted = Promise.all(hosted.map((service) => service.started)).then(() => started.abort());
  allStarted.catch(() => {}); // `ended` reports it, too
  await clock.sleep(firstRuns, AbortSignal.any([started.signal, signal]));
  const broker = signal.aborted ? undefined : await persist("the broker", options.connect, { clock, signal, log });
  try {
    if (broker) await Promise.all(whileUp(broker));
    await allStarted;
    await ended;
    await local;
  } finally {
    await Promise.allSettled([...hosted, orders].map((part) => part.close()));
    await broker?.close();
  }
  log("stopped");

  function begin(): HostedService[] {
    try {
      store.beginLife(options.name, process.pid, clock.now());
      return [...options.services].map(([service, definition]) =>
        hostService(service, definition, options, { onReportChanged: () => reportChanged(), compareInTurn }),
      );
    } catch (error) {
      damaged.abort(error);
      return store.rethrow(error);
    }
  }

  function whileUp(broker: Broker): Promise<void>[] {
    reportChanged = reporter(options, broker);
    /** The reasons why a queue is not received, by the queue: the broker itself forgets what it has refused. */
    const deaf = new Map<string, string>();
    const trouble = (): string | undefined => {
      const all = new Set([broker.trouble(), ...deaf.values()].filter((why) => why !== undefined));
      return all.size > 0 ? [...all].join("; ") : undefined;
    };
    const hear = (what: string, listen: () => Promise<void>): Promise<void> =>
      persist(
        what,
        () =>
          listen().then(
            () => void deaf.delete(what),
            (error) => {
              deaf.set(what, reason(error));
              throw error;
            },
          ),
        { clock, signal, log },
      );
    const every = (milliseconds: number, what: string, work: () => Promise<unknown> | unknown): Promise<void> =>
      again(milliseconds, () => persist(what, async () => work(), { clock, signal, log }), clock, signal);
    const all = (work: (service: HostedService) => unknown) => () => Promise.all(hosted.map(work));
    const { fullEvery, transcriber } = options;
    return [
      hear("the queue of orders", () => orders.listen(broker)),
      every(brokerInterval, "the answers to orders", () => orders.sendAnswers()),
      ...hosted.map((service) =>
        listen(service, () => hear(`the queue ${service.queue.name}`, () => service.listen(broker))),
      ),
      every(
        daemonInterval,
        "the check of the daemons",
        all((service) => service.lookAtDaemon()),
      ),
      every(reportInterval, "the report", () => reportChanged()),
      every(brokerInterval, "storing the broker's trouble", () => store.noteTrouble(trouble())),
      ...(transcriber
        ? [
            every(
              transcriberInterval,
              "the check of the transcriber",
              transcriberLook(transcriber, clock, reportChanged),
            ),
          ]
        : []),
      ...(fullEvery === undefined
        ? []
        : [
            every(
              fullEvery,
              "the regular full run",
              all((service) => service.runAgain()),
            ),
          ]),
    ];
  }

  async function listen(service: HostedService, hear: () => Promise<void>): Promise<void> {
    await service.started;
    await hear();
    reportChanged();
  }
}

/** Serves the orders that are given on this machine. A host without its socket, as on a full disk, works on. */
async function serveLocally({ serveOrders, clock, signal, log }: HostOptions, { obey }: Control): Promise<void> {
  if (!serveOrders) return;
  for (let failures = 0; !signal.aborted; ) {
    try {
      return await serveOrders(obey, signal);
    } catch (error) {
      if (failures === 0) log(`its socket for orders: ${reason(error)}; trying again`);
      failures += 1;
      await clock.sleep(backoff(failures), signal);
    }
  }
}

const openOrders = (options: HostOptions, hosted: readonly HostedService[]): Control =>
  control({ ...options, host: options.name, services: new Map(hosted.map((service) => [service.name, service])) });

function sayLeftBehind({ name, services, store, log }: HostOptions): void {
  for (const service of store.services()) {
    if (services.has(service)) continue;
    log(
      `${service} is left behind: the config no longer gives it to ${name}; its files stay, and so does the queue ${queueName(name, service)}`,
    );
  }
}

/** Repeats `work` at an interval. It must not throw: a disk that is full for a while is no reason to stop. */
async function again(
  milliseconds: number,
  work: () => Promise<unknown>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(milliseconds, signal);
    if (!signal.aborted) await work();
  }
}
