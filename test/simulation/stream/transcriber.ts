import { CellTable } from "../../../src/core/stream/cell-table.ts";
import type { CellChange } from "../../../src/core/stream/cells.ts";
import { hearRefusal, noEpochs, reviewNewerStates } from "../../../src/core/stream/epochs.ts";
import type { AsOf, StreamMessage } from "../../../src/core/stream/messages.ts";
import { nextEpoch, StreamWriter } from "../../../src/core/stream/transcriber-end.ts";
import type { Random } from "../../../src/testing/random.ts";
import type { Said } from "./host.ts";
import { buckets, keys, service, stateText, type Truth, type Version } from "./truth.ts";

/**
 * A transcriber of the model: a replica that lags, a mirror that a crash clears, and the real messages of the stream.
 */

/** The transcriber's safeguards; a run can remove each of them. */
export interface Habits {
  /** True if an epoch is made from the clock, the epochs received and chance; otherwise it is counted at the broker. */
  readonly uniqueEpoch: boolean;
  /** True if digests are sent at an interval. */
  readonly inBandDigest: boolean;
  /** True if nothing is sent from a mirror before its refresh is complete. */
  readonly complete: boolean;
}

/** A message on its way to one host or to all hosts. */
export interface Sent {
  readonly to: number | "all";
  readonly message: StreamMessage;
}

export interface Surroundings {
  readonly truth: Truth;
  readonly random: Random;
  readonly habits: Habits;
  /** The last epoch that the broker stores, for transcribers that count their epochs there. */
  readonly broker: { epoch: number };
  send(sent: Sent, from: number): void;
  note(line: () => string): void;
}

export interface Transcriber {
  /** True if it believes that it is the active one. */
  readonly believes: boolean;
  elect(now: number): void;
  retire(): void;
  crash(): void;
  /** Ends the refresh: the mirror is complete. */
  refresh(now: number): void;
  /** Applies the next change to the replica that it reads; false if there is none. */
  advance(now: number): boolean;
  /** Reads the clock, and runs the timers and waits that are due. */
  look(now: number): void;
  digest(): void;
  hear(said: Said, now: number): void;
  setClock(offset: number): void;
}

export function transcriber(index: number, world: Surroundings): Transcriber {
  const { truth, random, habits, broker } = world;
  /** The limits of a message: from one row to all rows. */
  const limits = { rows: 1 + random.below(3), bytes: 8 + random.below(16) };
  let replica = 0;
  let believes = false;
  let clockOffset = 0;
  /** The version that the mirror holds, or is about to hold. */
  let version: Version = { state: 0, phase: 0 };
  let mirror: "none" | "partial" | "complete" = "none";
  let table = new CellTable(service, buckets);
  let telling: StreamWriter | undefined;
  let epochs = noEpochs;

  const asOf = (): AsOf => ({ state: stateText(version.state), clock: version.phase });
  const say = (message: StreamMessage, to: number | "all" = "all") => world.send({ to, message }, index);
  const usable = () => mirror === "complete" || (mirror === "partial" && !habits.complete);

  /** Moves the mirror to another version and sends the changed rows of the table. */
  function move(next: Version): void {
    version = next;
    const changes: CellChange[] = [];
    for (const [number, key] of keys.entries()) {
      const cell = truth.cell(number, next);
      if ((table.get(key) ?? null) !== cell) changes.push([key, cell]);
    }
    table.apply(changes);
    if (telling && changes.length > 0) for (const message of telling.rows(changes, asOf())) say(message);
  }

  /** A new epoch above all epochs received. */
  function next(now: number): number {
    const heard = Math.max(epochs.heard, epochs.epoch);
    broker.epoch = habits.uniqueEpoch
      ? nextEpoch(now + clockOffset, heard, random.unit)
      : Math.max(heard, broker.epoch) + 1;
    epochs = { ...epochs, heard: broker.epoch };
    return broker.epoch;
  }

  function begin(now: number): void {
    // The clock is read before the epoch's first message, so that no row that time has removed returns with it.
    telling = undefined;
    if (mirror === "complete") move({ state: version.state, phase: truth.head.phase });
    epochs = { ...epochs, epoch: next(now) };
    telling = new StreamWriter(service, table, { epoch: epochs.epoch, limits });
    world.note(() => `transcriber ${index} begins epoch ${epochs.epoch} at ${text(version)}`);
    say(telling.digest(asOf()));
  }

  function hearSaid({ epochs: heard, act }: ReturnType<typeof hearRefusal>, now: number, host: number): void {
    epochs = heard;
    if (act === "digest" && telling) say(telling.digest(asOf()), host);
    else if (act) begin(now);
  }

  /**
   * Sends a digest to each host whose state the mirror has reached. If the directory was rolled back, it tells each
   * host concerned alone, then all in a higher epoch.
   */
  function reviewStates(now: number): void {
    if (!telling) return;
    const reviewed = reviewNewerStates(epochs, asOf().state, now);
    const { reached, rolledBack } = reviewed;
    epochs = reviewed.epochs;
    for (const { host } of reached) say(telling.digest(asOf()), Number(host));
    for (const host of rolledBack) {
      const epoch = next(now);
      world.note(
        () => `transcriber ${index} tells host ${host} alone that the directory was rolled back to ${text(version)}`,
      );
      say(new StreamWriter(service, table, { epoch, rolledBack: true, limits }).digest(asOf()), Number(host));
    }
    if (rolledBack.size > 0) begin(now);
  }

  return {
    get believes() {
      return believes;
    },
    elect(now) {
      believes = true;
      if (usable()) begin(now);
    },
    retire() {
      believes = false;
      telling = undefined;
      epochs = { ...epochs, newerStates: noEpochs.newerStates };
    },
    crash() {
      believes = false;
      telling = undefined;
      mirror = "none";
      table = new CellTable(service, buckets);
      epochs = noEpochs;
    },
    refresh(now) {
      if (mirror === "none") {
        // One half of the answer has arrived; the other half may take its time.
        mirror = "partial";
        version = { state: replica, phase: truth.head.phase };
        table.apply(keys.slice(random.below(keys.length)).map((key) => [key, truth.cell(keys.indexOf(key), version)]));
      } else {
        mirror = "complete";
        move({ state: replica, phase: truth.head.phase });
      }
      if (believes && usable() && !telling) begin(now);
    },
    advance(now) {
      const next = truth.after(replica);
      if (next === replica) return false;
      replica = next;
      if (mirror === "complete") {
        move({ state: replica, phase: version.phase });
        reviewStates(now);
      }
      return true;
    },
    look(now) {
      if (mirror === "complete") move({ state: version.state, phase: truth.head.phase });
      reviewStates(now);
    },
    digest() {
      if (telling && habits.inBandDigest) say(telling.digest(asOf()));
    },
    hear(said, now) {
      if (!telling) return;
      if (said.kind === "refusal") {
        const refusal = { ...said, host: String(said.host), service };
        return hearSaid(hearRefusal(epochs, refusal, asOf().state, now), now, said.host);
      }
      const { host, want } = said;
      if (want === "digest" || want === "buckets") say(telling.digest(asOf(), { buckets: want === "buckets" }), host);
      else say(telling.part(want.from, want.to, asOf(), want.have), host);
    },
    setClock(offset) {
      clockOffset = offset;
    },
  };
}

const text = ({ state, phase }: Version): string => `state ${state}, phase ${phase}`;
