import { activeInterval } from "../core/stream/report.ts";
import { ageOf } from "../core/util/age.ts";
import { reportTimeout } from "./health.ts";
import type { HostStatus } from "./host-status.ts";

/** The active transcriber, as far as this machine can know. */
export interface Active {
  /** The host whose transcriber is active: of several that call themselves so, the one in the highest epoch. */
  readonly host: string | undefined;
  /** True if it is known that none is. */
  readonly none: boolean;
  /** Transcribers elsewhere that called themselves active, and have been silent for too long since. */
  readonly silent: readonly string[];
}

/** The heartbeat of RabbitMQ where the config says none, in seconds. */
const usualHeartbeat = 5;

/**
 * The time for which the word of a transcriber elsewhere counts, in milliseconds.
 * It is twice the interval of its reports, and as long as another one may take to take over.
 */
export const silenceLimit = ({ broker }: { readonly broker?: { readonly heartbeat?: number } | undefined }): number =>
  2 * activeInterval + 3 * (broker?.heartbeat ?? usualHeartbeat) * 1000;

/** Finds the active one among the transcribers of a config. */
export function whoIsActive(transcribers: readonly HostStatus[], now: number, limit: number): Active {
  const isSilent = ({ said }: HostStatus): boolean => said?.active === true && ageOf(said.heard, now) > limit;
  const candidates = transcribers
    .filter((status) => (status.here ? status.up : !isSilent(status)))
    .map(({ host, transcriber, said }) => ({ host, state: transcriber ?? said }))
    .filter(({ state }) => state?.active)
    .toSorted((a, b) => (b.state?.epoch ?? 0) - (a.state?.epoch ?? 0));
  // A transcriber of this machine must have been listening for long enough.
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
function couldBe({ here, up, transcriber, said, at }: HostStatus, now: number, listensSince: number): boolean {
  if (here) return up === true && transcriber === undefined;
  // One of an older version does not say it.
  return said === undefined && ageOf(at ?? listensSince, now) <= reportTimeout;
}
