import type { ServiceReport } from "../core/stream/report.ts";
import { ageOf } from "../core/util/age.ts";
import { type Health, levels, reportTimeout } from "./health.ts";
import type { HostStatus } from "./host-status.ts";

/**
 * The time for which a service is late after its last untrusted message, in milliseconds: a person must find the
 * sender.
 */
const untrustedWithin = 60 * 60_000;

/** The health of one service of a host. */
export function serviceHealth(service: string, report: ServiceReport, host: HostStatus, now: number): Health {
  if (host.up === false) return { level: levels.failing, state: "down", why: "its process is not running" };
  const held = holdHealth(service, report);
  if (held) return held;
  // A failing daemon is more urgent; the removals wait, and are listed with the rows.
  if (report.failing) return { level: levels.failing, state: "failing", why: report.why };
  if (report.removals) return removalsHealth(service, report, report.removals);
  if (report.parkedCount > 0) {
    const since = earliest(report.parked);
    return { level: levels.late, state: `${report.parkedCount} parked`, since, remedy: `\`trigger retry ${service}\`` };
  }
  if (report.untrusted && ageOf(report.untrusted.at, now) < untrustedWithin) {
    const { count, why } = report.untrusted;
    return { level: levels.late, state: `${count} untrusted ${count === 1 ? "message" : "messages"} rejected`, why };
  }
  if (report.pending > 0) return { level: levels.late, state: "late", why: report.why };
  if (report.form === "table") {
    if (!report.equal || report.doubt) return { level: levels.late, state: "late", why: report.why };
    const compared = report.equal.asOf.clock;
    if (now - compared > reportTimeout) return { level: levels.late, state: "not compared", since: compared };
  }
  if (!host.here && ageOf(host.at ?? 0, now) > reportTimeout) {
    return { level: levels.late, state: "no report", since: host.at };
  }
  return rowsHealth(service, report);
}

/** The health of a service that is held as a whole; undefined if it is not. */
function holdHealth(service: string, { held, heldBy, conflict }: ServiceReport): Health | undefined {
  if (held === undefined) return undefined;
  const health = { level: levels.late, state: "held", why: held };
  if (heldBy === "person") return { ...health, remedy: `\`trigger approve ${service}\`` };
  return conflict === undefined ? health : { ...health, remedy: diffThenApprove(service, conflict) };
}

function removalsHealth(
  service: string,
  { refused, refusedCount }: ServiceReport,
  { rows, digest }: NonNullable<ServiceReport["removals"]>,
): Health {
  // A report names only the first hundred rows: the earliest one may be missing.
  const since = refused.length === refusedCount ? earliest(refused.filter(({ by }) => by === "removals")) : undefined;
  const why = `${rows} ${rows === 1 ? "row" : "rows"} would be removed`;
  return { level: levels.late, state: "held", why, since, remedy: diffThenApprove(service, digest) };
}

/** The health of a service whose table is compared and complete, by its refused and held rows. */
function rowsHealth(service: string, report: ServiceReport): Health {
  const held = report.heldCount ?? 0;
  const others = report.refusedCount - held;
  const refused = others > 0 ? `, ${others} refused` : "";
  if (held > 0) {
    const approval = `trigger approve ${service} ${report.conflict ?? ""}`.trim();
    const remedy = `\`trigger adopt ${service} NAME\`, or \`${approval}\` for all`;
    return { level: levels.late, state: "held", why: `${held} of its rows${refused}`, remedy };
  }
  if (report.form === "table" && report.rows === 0 && others > 0) {
    return { level: levels.late, state: "no rows", why: `${others} refused` };
  }
  return { level: levels.well, state: `well${refused}` };
}

const diffThenApprove = (service: string, digest: string): string =>
  `\`trigger diff ${service}\`, then \`trigger approve ${service} ${digest}\``;

const earliest = (all: readonly { readonly since: number }[]): number | undefined =>
  all.length === 0 ? undefined : Math.min(...all.map(({ since }) => since));
