/** A queue of waiters for a turn that only one may have at a time, in the order of their arrival. */
export interface Line {
  /**
   * Adds a waiter: `begin` is called in a microtask once the waiter is the first. Returns a function that removes the
   * waiter; its result is true if the turn had begun.
   */
  enter(begin: () => void): () => boolean;
  /** The number of waiters, the present one among them. */
  readonly length: number;
}

/** Opens an empty line. */
export function openLine(): Line {
  const waiting: (() => void)[] = [];
  return {
    get length() {
      return waiting.length;
    },
    enter(begin) {
      let begun = false;
      const mayBegin = (): void =>
        queueMicrotask(() => {
          if (waiting[0] !== mayBegin) return;
          begun = true;
          begin();
        });
      waiting.push(mayBegin);
      if (waiting[0] === mayBegin) mayBegin();
      return () => {
        const place = waiting.indexOf(mayBegin);
        if (place < 0) return false;
        waiting.splice(place, 1);
        if (place === 0) waiting[0]?.();
        return begun;
      };
    },
  };
}
