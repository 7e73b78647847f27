import type { DatabaseSync } from "node:sqlite";
import { reason } from "../core/outcome.ts";
import type { ReportMessage } from "../core/report.ts";
import { queueName } from "../core/routing.ts";
import { protocolVersion } from "../core/stream.ts";
import type { Broker } from "../ports/broker.ts";
import type { Clock } from "../ports/clock.ts";
import { type HostedService, hostService } from "./hosted-service.ts";
import type { HostOptions } from "./options.ts";
import { reportKey } from "./receive.ts";
import { serviceReport } from "./report.ts";
import { knownServices } from "./store.ts";

/** How often a host reports, though nothing changed, and looks whether its daemons were restarted; milliseconds. */
const reportInterval = 60_000;
const incarnationInterval = 10_000;
/** Reports of changes are folded to one in so many milliseconds. */
const reportPace = 1000;

/** Runs one host until the signal: first every service once from the store, then what the broker brings. */
export async function runHost(options: HostOptions): Promise<void> {
  const { name, database, clock, signal, log } = options;
  beginLife(options);

  let changed = (): void => {};
  const hosted = [...options.services].map(([service, definition]) =>
    hostService(service, definition, options, () => changed()),
  );
  sayLeftBehind(options);
  await Promise.all(hosted.map(({ started }) => started));
  if (signal.aborted) return;

  const broker = await options.connect();
  try {
    await broker.declare(hosted.map(({ queue }) => queue));
    changed = reporter(options, broker);
    for (const service of hosted) await service.listen(broker);
    changed();
    await Promise.all([
      every(incarnationInterval, clock, signal, () => Promise.all(hosted.map((service) => service.lookAtDaemon()))),
      every(reportInterval, clock, signal, async () => changed()),
      every(reportPace, clock, signal, async () => noteTrouble(database, broker.trouble())),
      ...hosted.map(({ ended }) => ended),
    ]);
  } finally {
    await Promise.all(hosted.map((service: HostedService) => service.close()));
    await broker.close();
    log("stopped");
  }

  /** Sends the host's whole state when it has changed: at once, then at most once a second. */
  function reporter({ services }: HostOptions, broker: Broker): () => void {
    let owed = false;
    let pausing = false;
    const send = async (): Promise<void> => {
      owed = false;
      pausing = true;
      const states = [...services.keys()].map((service) => [service, serviceReport(database, service)] as const);
      const report: ReportMessage = {
        trigger: protocolVersion,
        kind: "report",
        host: name,
        at: clock.now(),
        services: Object.fromEntries(states),
      };
      // A report that is lost is no loss: the next one says everything again.
      await broker.publish(reportKey, JSON.stringify(report)).catch((error) => {
        if (!signal.aborted) log(`a report was not sent: ${reason(error)}`);
      });
      await clock.sleep(reportPace, signal);
      pausing = false;
      if (owed && !signal.aborted) send();
    };
    return () => {
      owed = true;
      if (!pausing && !signal.aborted) send();
    };
  }
}

function beginLife({ name, database, clock }: HostOptions): void {
  database
    .prepare(
      `INSERT INTO life (one, host, pid, since) VALUES (1, ?, ?, ?)
       ON CONFLICT (one) DO UPDATE SET host = excluded.host, pid = excluded.pid, since = excluded.since, trouble = NULL`,
    )
    .run(name, process.pid, clock.now());
}

function noteTrouble(database: DatabaseSync, trouble: string | undefined): void {
  database.prepare("UPDATE life SET trouble = ? WHERE trouble IS NOT ?").run(trouble ?? null, trouble ?? null);
}

function sayLeftBehind({ name, services, database, log }: HostOptions): void {
  for (const service of knownServices(database)) {
    if (services.has(service)) continue;
    log(
      `${service} is left behind: the config no longer gives it to ${name}; its files stay, and so does the queue ${queueName(name, service)}`,
    );
  }
}

async function every(
  milliseconds: number,
  clock: Clock,
  signal: AbortSignal,
  work: () => Promise<unknown>,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(milliseconds, signal);
    if (!signal.aborted) await work();
  }
}
