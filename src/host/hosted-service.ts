import type { Service } from "../core/service/service.ts";
import type { OrderMessage } from "../core/stream/order.ts";
import { inSlices } from "../core/util/slices.ts";
import type { Broker, Queue } from "../ports/broker.ts";
import type { OrderTaker } from "./inbox/control.ts";
import { Conversation } from "./inbox/conversation.ts";
import type { StoredService } from "./inbox/receive.ts";
import type { HostOptions } from "./options.ts";
import { RemovalsNotice } from "./report/removals-notice.ts";
import { serviceReport } from "./report/report.ts";
import type { daemonComparer } from "./run/compare-daemon.ts";
import { orders } from "./run/orders.ts";
import type { RunContext } from "./run/run-context.ts";
import { ServiceLoop } from "./run/service-loop.ts";

/** One service on its host: its part of the store, its runs and its queue. */
export interface HostedService extends OrderTaker {
  readonly name: string;
  readonly queue: Queue;
  /** Resolves when the first run has ended, with or without success. */
  readonly started: Promise<void>;
  /** Rejects if the store turns out to be damaged. */
  readonly ended: Promise<void>;
  /** Receives the messages of the queue, and asks how the table compares; throws if the broker cannot be reached. */
  listen(broker: Broker): Promise<void>;
  /** Orders a full run if the daemon was restarted since its last run. */
  lookAtDaemon(): Promise<void>;
  /** Runs the service on all rows, even if nothing is pending. */
  runAgain(): void;
  close(): Promise<void>;
}

/** The parts that the services of a host share. */
export interface HostParts {
  /** Called when the report has changed. */
  onReportChanged(): void;
  readonly compareInTurn: ReturnType<typeof daemonComparer>;
}

/** Composes one service of a host: the loop that runs it and the conversation about it, over one part of the store. */
export function hostService(name: string, service: Service, options: HostOptions, parts: HostParts): HostedService {
  const { onReportChanged } = parts;
  const context = runContext(name, options);
  const { store, clock, log } = context;
  const table = "table" in service ? service.table : undefined;
  const rows = table ? store.rows(table) : undefined;
  const inbox: StoredService = { store, service, rows };
  const notice = table && new RemovalsNotice(store, log);
  noteStart(inbox, options.codes.get(name) ?? "", context);

  /** Recomputes the digest from the rows; with a time, the present code judges the rows again, too. */
  async function recompute(judgedAt?: number): Promise<void> {
    if (rows)
      await inSlices(rows.recompute(judgedAt), { ...context, log: options.log }).catch((error) => store.rethrow(error));
    notice?.say();
  }

  const loop = new ServiceLoop({
    ...{ service, context, onReportChanged },
    waveWithin: options.waveWithin?.(name),
    ready: recompute(clock.now()),
    ran() {
      notice?.say();
      options.ran?.(name);
      conversation.poke();
    },
  });
  const compareTable = table && options.compareDaemon?.bind(options, name, table);
  const conversation = new Conversation({
    ...{ host: options.name, inbox, clock, signal: options.signal, log, onReportChanged, recompute },
    ...{ distrust: options.distrust, follow: options.follow },
    ...{ wrongTranscriber: options.wrongTranscriber, wrongPlainSender: options.wrongPlainSender },
    hearWave: (message) => loop.hearWave(message),
    compareDaemon:
      compareTable &&
      (() =>
        parts.compareInTurn({
          compare: compareTable,
          busy: () => loop.busy || conversation.inDoubt,
          isPending: () => serviceReport(store).why !== undefined,
          runs: () => loop.runs,
        })),
    stored() {
      notice?.sayAgain();
      loop.poke();
    },
  });
  return {
    name,
    queue: conversation.queue,
    obey: orders(inbox, context),
    obeyed(order) {
      if (order.order === "verify") conversation.verify(order.at);
      if (isWithoutDigest(order)) loop.endWait();
      notice?.sayAgain();
      // A run that waits after a failure waits no longer.
      loop.poke({ again: true });
      onReportChanged();
    },
    started: loop.started,
    ended: Promise.race([loop.ended, conversation.damaged]),
    listen: (broker) => conversation.listen(broker),
    lookAtDaemon: () => loop.lookAtDaemon(),
    runAgain: () => loop.runAgain(),
    close: () => conversation.close(),
  };
}

function runContext(name: string, options: HostOptions): RunContext {
  const { store, clock, signal, removalLimit, mayEmpty } = options;
  const began = clock.now() - clock.monotonic();
  const removals = removalLimit && {
    limit: (rows: number) => removalLimit(name, rows),
    mayEmpty: mayEmpty?.(name) ?? false,
    now: () => Math.round(began + clock.monotonic()),
  };
  return {
    ...{ host: options.name, store: store.service(name), clock, signal },
    machine: options.machineOf(name),
    log: (line) => options.log(`${name}: ${line}`),
    ...(removals && { removals }),
  };
}

/** Stores what a start changes: the code, a full run, and removals with a future time. */
function noteStart({ store, rows }: StoredService, code: string, { clock, removals }: RunContext): void {
  // A text that other code gave up may work with this code: its reload or probe may be corrected.
  if (store.facts?.code !== code) store.ledger.forgive();
  store.write({ form: rows ? "table" : "plain", code, fatal: undefined });
  // The machine, the daemon or the service's own code may have changed since the last run.
  if (rows) store.orderFullRun();
  store.removals.countAhead((removals ?? clock).now());
}

/** True for an order to go on with everything pending. With a digest or an allowance, an order is about that alone. */
const isWithoutDigest = ({ order, allow, digest }: OrderMessage): boolean =>
  order === "approve" && !allow && digest === undefined;
