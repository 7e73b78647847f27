import type { Network } from "./network.ts";

/** One kind of what can befall the network. It is undone by itself after its time, also when the run is broken off. */
export interface Kind {
  /** How often it is drawn. */
  readonly weight: number;
  /** What it can befall. */
  readonly targets: readonly string[];
  /** Two faults with one of these do not overlap: the second one waits. */
  readonly lock: (target: string) => string;
  /** Milliseconds, at most. */
  readonly longest: number;
  /** Milliseconds that it goes on after that, about, where it is much: so long more changes are made. */
  readonly goesOn?: number;
  /** Gives false where this machine cannot do it. */
  readonly act: (network: Network, target: string, wait: () => Promise<void>) => Promise<boolean>;
}

/** Does, waits, and undoes whatever happens. */
export async function meanwhile(wait: () => Promise<void>, act: () => unknown, undo: () => unknown): Promise<boolean> {
  await act();
  try {
    await wait();
  } finally {
    await undo();
  }
  return true;
}
