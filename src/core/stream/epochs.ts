import { type DirectoryState, olderState, type RefusalMessage } from "./messages.ts";

/** What an active transcriber does when hosts refuse what it says, decided without touching anything. */

/** How long a transcriber waits for its mirror to reach what hosts hold before it believes that the directory was restored from a backup, in milliseconds. */
export const rollbackWait = 60_000;

/** A directory state that a host holds of one service, and the mirror does not; and since when (monotonic milliseconds). */
export interface Claim {
  readonly host: string;
  readonly service: string;
  readonly state: DirectoryState;
  readonly since: number;
}

/** What an active transcriber knows of its own place among the epochs. */
export interface Epochs {
  /** The epoch that it speaks in. */
  readonly epoch: number;
  /** The highest epoch that it has heard of; the next one goes above it. */
  readonly heard: number;
  /** The claims, by host and service. Each is reviewed alone: what one host says begins, moves and ends no other's. */
  readonly claims: ReadonlyMap<string, Claim>;
}

/** A epochs that has spoken and heard nothing yet. */
export const noEpochs: Epochs = { epoch: 0, heard: 0, claims: new Map() };

/** The next deed of the leader: say a digest to a host that had refused and now takes it, or start an epoch above all that it has heard. */
export type Act = "digest" | "epoch";

/** What follows from an epoch that a host holds: whatever is said in a lower one is refused, and a refusal can be lost or wait for the next word. */
export function hearEpoch(epochs: Epochs, epoch: number): { epochs: Epochs; act?: Act } {
  const heard = { ...epochs, heard: Math.max(epochs.heard, epoch) };
  return epoch > epochs.epoch ? { epochs: heard, act: "epoch" } : { epochs: heard };
}

/** What follows from a host that did not take a message. */
export function hearRefusal(
  epochs: Epochs,
  refusal: Pick<RefusalMessage, "host" | "service" | "epoch" | "asOf" | "refused" | "because">,
  mirror: DirectoryState,
  now: number,
): { epochs: Epochs; act?: Act } {
  const heard = hearEpoch(epochs, refusal.epoch);
  // A refusal of an earlier epoch's message says nothing of what is said now.
  if (heard.act || refusal.because !== "asOf" || refusal.refused !== epochs.epoch) return heard;
  const { host, service } = refusal;
  const { state } = refusal.asOf;
  if (!olderState(mirror, state)) return { ...heard, act: "digest" };
  const key = `${host} ${service}`;
  const since = epochs.claims.get(key)?.since ?? now;
  return { epochs: { ...heard.epochs, claims: new Map(epochs.claims).set(key, { host, service, state, since }) } };
}

/** What has become of claims. */
export interface Reviewed {
  /** The epochs with the claims that are still open. */
  readonly epochs: Epochs;
  /** Those that the mirror has reached: their hosts take a digest now. */
  readonly reached: readonly Claim[];
  /** The hosts with one that it has not reached in time: for them the directory was rolled back, whatever else they claim. */
  readonly rolledBack: ReadonlySet<string>;
}

/** What follows from a mirror that has moved, or from time that has passed. A directory that cannot be read was not rolled back: `readSince` is when it last could be again, and infinite until then. */
export function reviewClaims(epochs: Epochs, mirror: DirectoryState, now: number, readSince = 0): Reviewed {
  if (epochs.claims.size === 0) return { epochs, reached: [], rolledBack: new Set() };
  const all = [...epochs.claims];
  const isReached = ({ state }: Claim): boolean => !olderState(mirror, state);
  const reached = all.map(([, claim]) => claim).filter(isReached);
  const unreached = all.filter(([, claim]) => !isReached(claim));
  const over = unreached.filter(([, { since }]) => now - Math.max(since, readSince) >= rollbackWait);
  const rolledBack = new Set(over.map(([, { host }]) => host));
  const claims = new Map(unreached.filter(([, { host }]) => !rolledBack.has(host)));
  return { epochs: { ...epochs, claims }, reached, rolledBack };
}

/** The moment from which the first claim is over, in monotonic milliseconds; undefined where there is none. */
export function nextReview({ claims }: Epochs, readSince: number): number | undefined {
  if (claims.size === 0) return undefined;
  return Math.max(Math.min(...[...claims.values()].map(({ since }) => since)), readSince) + rollbackWait;
}
