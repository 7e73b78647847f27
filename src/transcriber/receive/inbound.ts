import { hostsOf, type ReadConfig } from "../../core/config/config.ts";
import type { WrongSender, WrongTranscriber } from "../../core/config/senders.ts";
import type { AnswerMessage, OrderMessage } from "../../core/stream/order.ts";
import type { ReportMessage } from "../../core/stream/report.ts";
import { eventService } from "../../core/stream/routing.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Publisher } from "../publish/publisher.ts";
import type { SteadyClock } from "../tables/steady-clock.ts";
import type { Attribution } from "./attribution.ts";
import type { Inbound } from "./listener.ts";

export interface InboundOptions {
  readonly config: Pick<ReadConfig, "hosts">;
  /** The services that have a table. */
  readonly tableServices: { has(service: string): boolean };
  readonly publisher: Pick<Publisher, "answer" | "observe" | "noteStale">;
  readonly steady: Pick<SteadyClock, "observe">;
  readonly attribution: Pick<Attribution, "addEvent">;
  /** The rule for reports, refusals and questions about rows: only a host's own user sends them, if each host has one. */
  readonly wrongSender: WrongSender;
  /** The rule for copies of orders: only a transcriber's user sends them, if each host has one. */
  readonly wrongTranscriber: WrongTranscriber;
  readonly clock: Pick<Clock, "monotonic">;
  readonly onReport: (report: ReportMessage) => void;
  /** Called for an order of a person to hosts; `user` is the user of the broker that sent it, if it is known. */
  readonly onOrder: (order: OrderMessage, user: string | undefined) => void;
  /** Called for the answer of a host. */
  readonly onAnswer: (answer: AnswerMessage, user: string | undefined) => void;
  log(line: string): void;
}

/** Handles the messages of hosts and bindings. Throws for a message that the config does not allow. */
export function handleInbound(options: InboundOptions): Inbound {
  const { config, tableServices, publisher, steady, attribution, wrongSender, wrongTranscriber, clock, onReport, log } =
    options;
  /** The hosts whose reports of unknown services are in the log already. */
  const logged = new Set<string>();

  function mustFollow(host: string, service: string): void {
    if (tableServices.has(service) && hostsOf(config, service).includes(host)) return;
    throw new Error(`the config has no host ${JSON.stringify(host)} with a table ${JSON.stringify(service)}`);
  }

  function mustBeOf(host: string, user: string | undefined): void {
    const wrong = wrongSender(host, user);
    if (wrong) throw new Error(wrong);
  }

  /** A report without services, and without a transcriber, that the config does not have on its host. */
  function asConfigured(report: ReportMessage): ReportMessage {
    const known = config.hosts.get(report.host) ?? [];
    const [services, others] = partition(Object.entries(report.services), ([service]) => known.includes(service));
    const [other] = others;
    if (other && !logged.has(report.host)) {
      logged.add(report.host);
      log(
        `${report.host} reports a service that the config does not have there: ${JSON.stringify(other[0].slice(0, 80))}`,
      );
    }
    const { transcriber: _, ...rest } = report;
    return { ...(known.includes(eventService) ? report : rest), services: Object.fromEntries(services) };
  }

  return {
    report(message, user) {
      if (!config.hosts.has(message.host)) throw new Error(`the config has no host ${JSON.stringify(message.host)}`);
      mustBeOf(message.host, user);
      const report = asConfigured(message);
      const marks = Object.values(report.services)
        .flatMap(({ stored, applied, equal }) => [stored, applied, equal])
        .filter((mark) => mark !== undefined);
      for (const { asOf } of marks) steady.observe(asOf.clock, report.host);
      publisher.observe(report.host, marks.length > 0 ? Math.max(...marks.map(({ epoch }) => epoch)) : undefined);
      onReport(report);
    },
    ask({ host, service, want }, user) {
      mustFollow(host, service);
      // Any user may request a digest in a host's name, as `trigger modify --wait` does: it is small.
      if (want !== "digest") mustBeOf(host, user);
      publisher.answer(service, host, want);
    },
    refusal(refusal, user) {
      mustFollow(refusal.host, refusal.service);
      mustBeOf(refusal.host, user);
      steady.observe(refusal.asOf.clock, refusal.host);
      publisher.noteStale(refusal);
    },
    order(order, user) {
      const wrong = wrongTranscriber(user);
      if (wrong) throw new Error(wrong);
      const hosts = order.hosts.filter((host) => config.hosts.has(host));
      if (hosts.length > 0) options.onOrder({ ...order, hosts }, user);
    },
    answer(answer, user) {
      const { host, order } = answer;
      if (!config.hosts.has(host)) throw new Error(`the config has no host ${JSON.stringify(host)}`);
      mustBeOf(host, user);
      if (!order.hosts.includes(host)) throw new Error(`${host} answers an order that was not given to it`);
      options.onAnswer(answer, user);
    },
    event(event) {
      const late = attribution.addEvent(event, clock.monotonic());
      if (late) log(`${late.dn} was changed by ${late.by}`);
    },
  };
}

function partition<T>(all: readonly T[], isFirst: (one: T) => boolean): [first: T[], others: T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))];
}
