import { activeInterval } from "../core/stream/report.ts";
import { ageOf } from "../core/util/age.ts";
import type { HostStatus } from "./host-status.ts";

/** Which transcriber is active, as far as this machine can know. */
export interface Active {
  /** The host whose transcriber is active: of several that say so the one in the highest epoch. */
  readonly host: string | undefined;
  /** It is known that none is. */
  readonly nobody: boolean;
  /** Transcribers elsewhere that said that they are, and have not said it for too long. */
  readonly silent: readonly string[];
}

/** The heartbeat of RabbitMQ where the config says none, in seconds. */
const usualHeartbeat = 5;
/** A host that has not reported for so long is not there, in milliseconds. */
export const outOfTouch = 3 * 60_000;

/** How long what a transcriber elsewhere says is believed, in milliseconds: twice its interval, and as long as another one may take to take over. */
export const believedFor = ({ broker }: { readonly broker?: { readonly heartbeat?: number } | undefined }): number =>
  2 * activeInterval + 3 * (broker?.heartbeat ?? usualHeartbeat) * 1000;

/** Finds who is active among the transcribers of a config. */
export function whoIsActive(transcribers: readonly HostStatus[], now: number, believed: number): Active {
  const isSilent = ({ said }: HostStatus): boolean => said?.active === true && ageOf(said.heard, now) > believed;
  const claims = transcribers
    .filter((status) => (status.here ? status.up : !isSilent(status)))
    .map(({ host, transcriber, said }) => ({ host, state: transcriber ?? said }))
    .filter(({ state }) => state?.active)
    .toSorted((a, b) => (b.state?.epoch ?? 0) - (a.state?.epoch ?? 0));
  // Somebody here must have been listening for long enough.
  const listensSince = Math.min(...transcribers.map(listening));
  const nobody =
    claims.length === 0 &&
    now - listensSince > believed &&
    !transcribers.some((status) => couldBe(status, now, listensSince));
  return { host: claims[0]?.host, nobody, silent: transcribers.filter(isSilent).map(({ host }) => host) };
}

const listening = ({ here, up, trouble, since }: HostStatus): number =>
  here && up && trouble === undefined && since !== undefined ? since : Number.POSITIVE_INFINITY;

/** Whether a transcriber that does not say that it is active could be. */
function couldBe({ here, up, transcriber, said, at }: HostStatus, now: number, listensSince: number): boolean {
  if (here) return up === true && transcriber === undefined;
  // One of an older version does not say it.
  return said === undefined && ageOf(at ?? listensSince, now) <= outOfTouch;
}
