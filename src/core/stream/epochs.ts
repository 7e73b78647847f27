import { type DirectoryState, olderState, type RefusalMessage } from "./messages.ts";

/** The decisions of an active transcriber about epochs and about refusals of hosts, as pure functions. */

/**
 * The time for which a transcriber waits until its mirror has reached the state that a host holds, in milliseconds.
 * Then it takes the directory for one that was restored from a backup.
 */
export const rollbackWait = 60_000;

/** A directory state of one service at a host, newer than the mirror. It was first heard of at `since` (monotonic milliseconds). */
export interface NewerState {
  readonly host: string;
  readonly service: string;
  readonly state: DirectoryState;
  readonly since: number;
}

/** The epochs of an active transcriber: its own, the highest heard, and the newer states of hosts. */
export interface Epochs {
  /** The transcriber's own epoch, in which it publishes. */
  readonly epoch: number;
  /** The highest epoch heard from a host; the next one is above it. */
  readonly heard: number;
  /**
   * The newer states, by host and service. Each is reviewed alone: a message of one host begins, changes and ends no
   * wait of another.
   */
  readonly newerStates: ReadonlyMap<string, NewerState>;
}

/** The epochs of a transcriber that has neither published nor heard anything yet. */
export const noEpochs: Epochs = { epoch: 0, heard: 0, newerStates: new Map() };

/**
 * The next act of the leader. It sends a digest to a host that had refused and now accepts it, or starts an epoch above
 * every epoch heard.
 */
export type Act = "digest" | "epoch";

/**
 * Notes the epoch of a host. The host refuses every message of a lower one, but its refusal can be lost, or come only
 * after the next message.
 */
export function hearEpoch(epochs: Epochs, epoch: number): { epochs: Epochs; act?: Act } {
  const heard = { ...epochs, heard: Math.max(epochs.heard, epoch) };
  return epoch > epochs.epoch ? { epochs: heard, act: "epoch" } : { epochs: heard };
}

/** Notes that a host refused a message. */
export function hearRefusal(
  epochs: Epochs,
  refusal: Pick<RefusalMessage, "host" | "service" | "epoch" | "asOf" | "refused" | "because">,
  mirror: DirectoryState,
  now: number,
): { epochs: Epochs; act?: Act } {
  const heard = hearEpoch(epochs, refusal.epoch);
  // A refusal of an earlier epoch's message says nothing about the present epoch.
  if (heard.act || refusal.because !== "asOf" || refusal.refused !== epochs.epoch) return heard;
  const { host, service } = refusal;
  const { state } = refusal.asOf;
  if (!olderState(mirror, state)) return { ...heard, act: "digest" };
  const key = `${host} ${service}`;
  const since = epochs.newerStates.get(key)?.since ?? now;
  return {
    epochs: { ...heard.epochs, newerStates: new Map(epochs.newerStates).set(key, { host, service, state, since }) },
  };
}

/** The result of a review of newer states. */
export interface Reviewed {
  /** The epochs with the newer states that still wait. */
  readonly epochs: Epochs;
  /** The states that the mirror has reached: a digest is sent to their hosts now. */
  readonly reached: readonly NewerState[];
  /**
   * The hosts with a state that was not reached in time: for them the directory counts as rolled back, whether or not
   * other states of theirs were reached.
   */
  readonly rolledBack: ReadonlySet<string>;
}

/**
 * Reviews the newer states after the mirror changed, or after a time. A directory that cannot be read was not rolled back:
 * `readSince` is the moment since which it can be read, infinite while it cannot.
 */
export function reviewNewerStates(epochs: Epochs, mirror: DirectoryState, now: number, readSince = 0): Reviewed {
  if (epochs.newerStates.size === 0) return { epochs, reached: [], rolledBack: new Set() };
  const all = [...epochs.newerStates];
  const isReached = ({ state }: NewerState): boolean => !olderState(mirror, state);
  const reached = all.map(([, newer]) => newer).filter(isReached);
  const unreached = all.filter(([, newer]) => !isReached(newer));
  const over = unreached.filter(([, { since }]) => now - Math.max(since, readSince) >= rollbackWait);
  const rolledBack = new Set(over.map(([, { host }]) => host));
  const newerStates = new Map(unreached.filter(([, { host }]) => !rolledBack.has(host)));
  return { epochs: { ...epochs, newerStates }, reached, rolledBack };
}

/** The moment at which the wait for the oldest state is over, in monotonic milliseconds; undefined if none waits. */
export function nextReview({ newerStates }: Epochs, readSince: number): number | undefined {
  if (newerStates.size === 0) return undefined;
  return Math.max(Math.min(...[...newerStates.values()].map(({ since }) => since)), readSince) + rollbackWait;
}
