import { persist } from "../core/util/persist.ts";
import type { HostStore } from "../host/store/host-store.ts";
import type { Clock } from "../ports/clock.ts";
import type { Transcriber } from "../transcriber/transcriber.ts";

/** The interval at which a transcriber's state is written when it has changed, in milliseconds. */
const stateInterval = 500;

/** A store for the state of a transcriber, which `trigger status` reads. */
export interface StateNotes {
  readonly store: HostStore;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  log(line: string): void;
}

/** Forgets the state of the earlier process. On a full disk `trigger status` shows the old state, and nothing else fails. */
export const forgetState = ({ store, ...waits }: StateNotes): Promise<unknown> =>
  persist(stateNote, async () => store.transcriber.forgetState(), waits);

/** Writes the state of a transcriber whenever it has changed, until the signal. */
export async function noteState(transcriber: Transcriber, { store, ...waits }: StateNotes): Promise<void> {
  const { clock, signal } = waits;
  for (let written = ""; !signal.aborted; await clock.sleep(stateInterval, signal)) {
    if (JSON.stringify(transcriber.state()) === written) continue;
    const write = async (): Promise<void> => {
      const state = transcriber.state(); // another one after a while without room
      store.transcriber.keepState(state);
      written = JSON.stringify(state);
    };
    await persist(stateNote, write, waits);
  }
}

const stateNote = "the transcriber's state for `trigger status`";
