import { hostsOf, type ReadConfig } from "../../core/config/config.ts";
import type { WrongOrderer, WrongSender } from "../../core/config/senders.ts";
import type { ReportMessage } from "../../core/stream/report.ts";
import { eventService } from "../../core/stream/routing.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Speaker } from "../publish/leader.ts";
import type { SteadyClock } from "../tables/steady-clock.ts";
import type { Attribution } from "./attribution.ts";
import type { Heard } from "./listener.ts";

export interface HearingOptions {
  readonly config: Pick<ReadConfig, "hosts">;
  /** The services that have a table. */
  readonly tables: { has(service: string): boolean };
  readonly speaker: Speaker;
  readonly steady: SteadyClock;
  readonly attributed: Attribution;
  /** The rule that reports of a host, and its questions but for a digest, count only from its own user, where each host has one. */
  readonly wrongSender: WrongSender;
  /** An order counts only from a transcriber's user, where each host has one. */
  readonly wrongOrderer: WrongOrderer;
  readonly clock: Clock;
  readonly onReport: (report: ReportMessage) => void;
  /** Something may be due earlier now. */
  nudge(): void;
  verify(asked: number): void;
  log(line: string): void;
}

/** What follows from what hosts and bindings say. A message that the config does not allow for throws. */
export function hearing({
  config,
  tables,
  speaker,
  steady,
  attributed,
  wrongSender,
  wrongOrderer,
  clock,
  onReport,
  nudge,
  verify,
  log,
}: HearingOptions): Heard {
  /** Hosts of which it was said that they report services of other names. */
  const oddlyNamed = new Set<string>();
  function mustFollow(host: string, service: string): void {
    if (tables.has(service) && hostsOf(config, service).includes(host)) return;
    throw new Error(`by the config no host ${JSON.stringify(host)} has a table ${JSON.stringify(service)}`);
  }
  function mustBeOf(host: string, user: string | undefined): void {
    const wrong = wrongSender(host, user);
    if (wrong) throw new Error(wrong);
  }
  /** A report without what the config does not have on its host: services of other names, and a transcriber where none is. */
  function asConfigured(report: ReportMessage): ReportMessage {
    const known = config.hosts.get(report.host) ?? [];
    const [services, others] = parted(Object.entries(report.services), ([service]) => known.includes(service));
    const [other] = others;
    if (other && !oddlyNamed.has(report.host)) {
      oddlyNamed.add(report.host);
      log(`${report.host} reports what the config does not have there: ${JSON.stringify(other[0].slice(0, 80))}`);
    }
    const { transcriber: _, ...rest } = report;
    return { ...(known.includes(eventService) ? report : rest), services: Object.fromEntries(services) };
  }
  return {
    report(said, user) {
      if (!config.hosts.has(said.host)) throw new Error(`the config has no host ${JSON.stringify(said.host)}`);
      mustBeOf(said.host, user);
      const report = asConfigured(said);
      const marks = Object.values(report.services)
        .flatMap(({ stored, loaded, equal }) => [stored, loaded, equal])
        .filter((mark) => mark !== undefined);
      for (const { asOf } of marks) steady.hear(asOf.clock, report.host);
      speaker.hear(report.host, marks.length > 0 ? Math.max(...marks.map(({ epoch }) => epoch)) : undefined);
      if (speaker.due() !== undefined) nudge();
      onReport(report);
    },
    ask({ host, service, want }, user) {
      mustFollow(host, service);
      // Who waits for a host asks for a digest in its name, as `trigger modify --wait` does; that is small. Rows go to whom they are for.
      if (want !== "digest") mustBeOf(host, user);
      speaker.answer(service, host, want);
    },
    refusal(refusal, user) {
      mustFollow(refusal.host, refusal.service);
      mustBeOf(refusal.host, user);
      steady.hear(refusal.asOf.clock, refusal.host);
      speaker.refused(refusal);
      nudge();
    },
    verify(asked, user) {
      const wrong = wrongOrderer(user);
      if (wrong) throw new Error(wrong);
      verify(asked);
    },
    event(event) {
      const late = attributed.heard(event, clock.monotonic());
      if (late) log(`${late.dn} was changed by ${late.by}`);
    },
  };
}

function parted<T>(all: readonly T[], isFirst: (one: T) => boolean): [first: T[], others: T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))];
}
