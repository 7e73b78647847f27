import type { DatabaseSync } from "node:sqlite";
import { persist } from "../core/util/persist.ts";
import type { Clock } from "../ports/clock.ts";
import type { Transcriber } from "../transcriber/transcriber.ts";
import { forgetTranscriberState, keepTranscriberState } from "./network.ts";

/** The interval at which a transcriber's state is written when it has changed, in milliseconds. */
const stateInterval = 500;

/** A store that a transcriber's state is written into, for `trigger status`. */
export interface StateNotes {
  readonly database: DatabaseSync;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  log(line: string): void;
}

/** Forgets the state of the process before, which is not this one's. A full disk only makes `trigger status` old. */
export const forgetState = ({ database, ...waits }: StateNotes): Promise<unknown> =>
  persist(stateNote, async () => forgetTranscriberState(database), waits);

/** Writes the state of a transcriber whenever it has changed, until the signal. */
export async function noteState(transcriber: Transcriber, { database, ...waits }: StateNotes): Promise<void> {
  const { clock, signal } = waits;
  for (let written = ""; !signal.aborted; await clock.sleep(stateInterval, signal)) {
    const state = JSON.stringify(transcriber.state());
    if (state === written) continue;
    await persist(stateNote, async () => keepTranscriberState(database, transcriber.state()), waits);
    written = state;
  }
}

const stateNote = "the transcriber's state for `trigger status`";
