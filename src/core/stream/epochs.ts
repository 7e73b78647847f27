import { type DirectoryState, olderState, type RefusalMessage } from "./messages.ts";

/** The decisions of an active transcriber about epochs and about refusals of hosts, as pure functions. */

/**
 * The time for which a transcriber waits until its mirror has reached the state that a host holds, in milliseconds.
 * Then it takes the directory for one that was restored from a backup.
 */
export const rollbackWait = 60_000;

/** A directory state that a host holds of one service, and the mirror does not; and since when (monotonic milliseconds). */
export interface Claim {
  readonly host: string;
  readonly service: string;
  readonly state: DirectoryState;
  readonly since: number;
}

/** The epochs of an active transcriber: its own, the highest heard, and the claims that hosts hold against it. */
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

/**
 * The next act of the leader: send a digest to a host that had refused and now takes it, or start an epoch above all
 * that it has heard.
 */
export type Act = "digest" | "epoch";

/**
 * Takes in an epoch that a host holds. The host refuses every message of a lower one; its refusal can be lost, or wait
 * for the next message.
 */
export function hearEpoch(epochs: Epochs, epoch: number): { epochs: Epochs; act?: Act } {
  const heard = { ...epochs, heard: Math.max(epochs.heard, epoch) };
  return epoch > epochs.epoch ? { epochs: heard, act: "epoch" } : { epochs: heard };
}

/** Takes in the refusal of a message by a host. */
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

/** The result of a review of claims. */
export interface Reviewed {
  /** The epochs with the claims that are still open. */
  readonly epochs: Epochs;
  /** Those that the mirror has reached: their hosts take a digest now. */
  readonly reached: readonly Claim[];
  /** The hosts with one that it has not reached in time: for them the directory was rolled back, whatever else they claim. */
  readonly rolledBack: ReadonlySet<string>;
}

/**
 * Reviews the claims after the mirror has moved, or time has passed. A directory that cannot be read was not rolled
 * back: `readSince` is the moment since which it can be read, and infinite while it cannot.
 */
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
