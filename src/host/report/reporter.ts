import { protocolVersion } from "../../core/stream/messages.ts";
import type { ReportMessage, TranscriberReport } from "../../core/stream/report.ts";
import { reason } from "../../core/util/errors.ts";
import type { Broker } from "../../ports/broker.ts";
import type { Clock } from "../../ports/clock.ts";
import { reportKey } from "../inbox/receive.ts";
import type { HostStore } from "../store/host-store.ts";
import { serviceReport } from "./report.ts";

/** The interval within which several changes become one report, in milliseconds. */
const reportPace = 1000;

export interface ReporterInputs {
  /** The name of the host. */
  readonly name: string;
  /** The services of the host, by name. */
  readonly services: ReadonlyMap<string, unknown>;
  readonly store: HostStore;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Returns the report of the host's transcriber; absent if it has none. */
  transcriber?(): TranscriberReport | undefined;
  log(line: string): void;
}

/** Sends the host's whole state to the transcriber after each change: at once, then at most once a second. */
export function reporter(inputs: ReporterInputs, broker: Broker): () => void {
  const { name, services, store, clock, signal, log, transcriber } = inputs;
  let pending = false;
  let pausing = false;

  async function send(): Promise<void> {
    pending = false;
    pausing = true;
    // A report that is lost or cannot be read from the store does no harm: the next one has everything again.
    await say().catch((error) => {
      if (!signal.aborted) log(`a report was not sent: ${reason(error)}`);
    });
    await clock.sleep(reportPace, signal);
    pausing = false;
    if (pending && !signal.aborted) send();
  }

  async function say(): Promise<void> {
    for (const service of services.keys()) note(service);
    const states = [...services.keys()].map((name) => {
      const service = store.service(name);
      return [name, serviceReport(service, service.facts)] as const;
    });
    const report: ReportMessage = {
      trigger: protocolVersion,
      kind: "report",
      host: name,
      at: clock.now(),
      services: Object.fromEntries(states),
      trouble: store.life().trouble,
      ...(transcriber && { transcriber: transcriber() }),
    };
    await broker.publish(reportKey, JSON.stringify(report));
  }

  /** A full disk must not stop a report: the next one computes the digest again. */
  function note(service: string): void {
    try {
      store.service(service).removals.noteQuestion();
    } catch (error) {
      log(`${service}: the digest of its held removals could not be stored: ${reason(error)}`);
    }
  }

  return () => {
    pending = true;
    if (!pausing && !signal.aborted) send();
  };
}
