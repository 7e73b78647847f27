import { type DryMachine, dryMachine, type Noted } from "../machines/dry.ts";
import type { Machine } from "../ports/machine.ts";

export type { Noted };

/** A machine that is only looked at: each run of a service is compared anew with what is really there. */
export interface LookedAt {
  readonly machine: Machine;
  /** What the run that has ended would have changed; the next one starts from what is really there again. */
  take(): Noted;
}

export function lookedAt(base: Machine): LookedAt {
  let dry: DryMachine = dryMachine(base);
  return {
    machine: {
      dry: true,
      scratch: base.scratch,
      get files() {
        return dry.files;
      },
      run: (command, options) => dry.run(command, options),
      incarnation: (daemon) => dry.incarnation(daemon),
    },
    take() {
      const noted = dry.noted();
      dry = dryMachine(base);
      return noted;
    },
  };
}
