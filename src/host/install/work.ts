import type { Files, InstallSteps, Owned } from "../../core/service/host-api.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Ledger } from "../store/ledger.ts";
import { hashOf } from "./in-place.ts";
import type { StepContext } from "./step.ts";
import type { Target } from "./target.ts";

/** One install under way. */
export interface Work {
  readonly targets: readonly Target[];
  readonly steps: InstallSteps;
  readonly context: StepContext;
  /** A name for the set of paths. */
  readonly paths: string;
  /** A name for the set of texts at these paths. */
  readonly texts: string;
}

/** The context shared by the parts of an installer. */
export interface InstallContext {
  readonly ledger: Ledger;
  readonly files: Files;
  /** The folder in the state for what is kept of folders that other users may write. */
  readonly kept: string;
  /** Paths whose found or recurring foreign text may be replaced, by its hash. */
  readonly owned: Owned;
  /** True if a person was asked about a path, but has not answered. */
  readonly isHeld: (path: string) => boolean;
  readonly clock: Clock;
  /** Milliseconds until a unit may be started again. */
  readonly restOf: (unit: string) => number;
  readonly secret: boolean;
  /** Returns how many of a number of files may be removed in this run without a question. All may if it is absent. */
  readonly removable?: ((files: number) => number) | undefined;
  readonly log: (message: string) => void;
}

export function workOn(targets: readonly Target[], steps: InstallSteps, context: StepContext): Work {
  const name = (words: string[]): string => hashOf(Buffer.from(JSON.stringify(words.sort())));
  return {
    targets,
    steps,
    context,
    paths: name(targets.map(({ path }) => path)),
    texts: name(targets.map(({ path, hash }) => `${path} ${hash}`)),
  };
}

/** True if a step passes. */
export async function passes(step: () => Promise<void>): Promise<boolean> {
  try {
    await step();
    return true;
  } catch {
    return false; // this is the answer; the caller has the error of the text
  }
}
