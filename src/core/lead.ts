import { type DirectoryState, olderState, type RefusalMessage } from "./stream.ts";

/** What an active transcriber does when hosts refuse what it says, decided without touching anything. */

/** How long a transcriber waits for its mirror to reach what hosts hold before it believes that the directory was restored from a backup, in milliseconds. */
export const patience = 60_000;

/** What an active transcriber knows of its own place among the epochs. */
export interface Lead {
  /** The epoch that it speaks in. */
  readonly epoch: number;
  /** The highest epoch that it has heard of; the next one goes above it. */
  readonly heard: number;
  /** A directory state that hosts hold and the mirror does not, and since when (monotonic milliseconds). */
  readonly behind?: { readonly state: DirectoryState; readonly since: number };
}

/**
 * What it does next: say a digest, which hosts that had refused now take; start an epoch above all that it has heard;
 * or start one that says that the directory was rolled back.
 */
export type Act = "digest" | "epoch" | "rollBack";

/** What follows from an epoch that a host holds: whatever is said in a lower one is refused, and a refusal can be lost or wait for the next word. */
export function hearEpoch(lead: Lead, epoch: number): { lead: Lead; act?: Act } {
  const heard = { ...lead, heard: Math.max(lead.heard, epoch) };
  return epoch > lead.epoch ? { lead: heard, act: "epoch" } : { lead: heard };
}

/** What follows from a host that did not take a message. */
export function hearRefusal(
  lead: Lead,
  refusal: Pick<RefusalMessage, "epoch" | "asOf" | "refused" | "because">,
  mirror: DirectoryState,
  now: number,
): { lead: Lead; act?: Act } {
  const heard = hearEpoch(lead, refusal.epoch);
  // A refusal of an earlier epoch's message says nothing of what is said now.
  if (heard.act || refusal.because !== "asOf" || refusal.refused !== lead.epoch) return heard;
  const { state } = refusal.asOf;
  if (!olderState(mirror, state)) return { ...heard, act: "digest" };
  const { behind } = lead;
  const newest = behind && olderState(state, behind.state) ? behind.state : state;
  return { lead: { ...heard.lead, behind: { state: newest, since: behind?.since ?? now } } };
}

/** What follows from a mirror that has moved, or from time that has passed. A directory that cannot be read was not rolled back: `readSince` is when it last could be again, and infinite until then. */
export function lookAgain(lead: Lead, mirror: DirectoryState, now: number, readSince = 0): { lead: Lead; act?: Act } {
  const { behind, ...level } = lead;
  if (!behind) return { lead };
  if (!olderState(mirror, behind.state)) return { lead: level, act: "digest" };
  const since = Math.max(behind.since, readSince);
  return now - since < patience ? { lead } : { lead: level, act: "rollBack" };
}
