import { activeInterval } from "../core/stream/report.ts";
import { ageOf } from "../core/util/age.ts";
import { reportTimeout } from "./health.ts";
import type { HostStatus } from "./host-status.ts";

/** The active transcriber, as far as this machine can know it. */
export interface Active {
  /** The host of the active transcriber: of several that call themselves active, the one in the highest epoch. */
  readonly host: string | undefined;
  /** True if no transcriber is active, for certain. */
  readonly none: boolean;
  /** Transcribers elsewhere that called themselves active, but have sent no report for too long. */
  readonly silent: readonly string[];
}

/** The heartbeat of RabbitMQ if the config has none, in seconds. */
const usualHeartbeat = 5;

/**
 * The time for which the report of a transcriber elsewhere counts, in milliseconds. It is twice the interval of its
 * reports, and the longest time that another one needs to take over.
 */
export const silenceLimit = ({ broker }: { readonly broker?: { readonly heartbeat?: number } | undefined }): number =>
  2 * activeInterval + 3 * (broker?.heartbeat ?? usualHeartbeat) * 1000;

/** Finds the active transcriber among those of a config. */
export function whoIsActive(transcribers: readonly HostStatus[], now: number, limit: number): Active {
  const isSilent = ({ transcriberReport }: HostStatus): boolean =>
    transcriberReport?.active === true && ageOf(transcriberReport.heard, now) > limit;
  const candidates = transcribers
    .filter((status) => (status.here ? status.up : !isSilent(status)))
    .map(({ host, transcriber, transcriberReport }) => ({ host, state: transcriber ?? transcriberReport }))
    .filter(({ state }) => state?.active)
    .toSorted((a, b) => (b.state?.epoch ?? 0) - (a.state?.epoch ?? 0));
  // A transcriber of this machine must have listened for long enough.
  const listensSince = Math.min(...transcribers.map(listening));
  const none =
    candidates.length === 0 &&
    now - listensSince > limit &&
    !transcribers.some((status) => couldBe(status, now, listensSince));
  return { host: candidates[0]?.host, none, silent: transcribers.filter(isSilent).map(({ host }) => host) };
}

const listening = ({ here, up, trouble, since }: HostStatus): number =>
  here && up && trouble === undefined && since !== undefined ? since : Number.POSITIVE_INFINITY;

/** True if a transcriber that does not call itself active could be. */
function couldBe(
  { here, up, transcriber, transcriberReport, at }: HostStatus,
  now: number,
  listensSince: number,
): boolean {
  if (here) return up === true && transcriber === undefined;
  // An older version does not report it.
  return transcriberReport === undefined && ageOf(at ?? listensSince, now) <= reportTimeout;
}
