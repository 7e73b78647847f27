/** One life of a process: it can end at any durable step, and what it does afterwards has no effect. */
export interface Life {
  readonly dead: boolean;
  readonly signal: AbortSignal;
  /** Called before each visible effect; throws if the process ends here, or has ended. */
  step(what: string): void;
  /** Ends it after a number of further steps: `end` is called at that moment. */
  endAfter(steps: number, end: () => void): void;
  /** Ends it now. */
  kill(): void;
  /** Asks it to end by itself. */
  stop(): void;
}

export class Dead extends Error {
  override name = "Dead";
}

/** Begins a life; `died` is called once, when it is killed. */
export function life(died: () => void): Life {
  const ending = new AbortController();
  let dead = false;
  let fuse: { left: number; readonly end: () => void } | undefined;
  const kill = (): void => {
    if (dead) return;
    dead = true;
    died();
    ending.abort(new Dead("the process is dead"));
  };
  return {
    get dead() {
      return dead;
    },
    signal: ending.signal,
    step(what) {
      if (dead) throw new Dead(`${what}: the process is dead`);
      if (!fuse || fuse.left-- > 0) return;
      const { end } = fuse;
      fuse = undefined;
      kill();
      end();
      throw new Dead(`${what}: the process ends here`);
    },
    endAfter(left, end) {
      fuse = { left, end };
    },
    kill,
    stop: () => ending.abort(new Error("stopped")),
  };
}
