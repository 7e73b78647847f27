/** Those who wait for what only one may have at a time, in the order in which they came. */
export interface Line {
  /** Stands in line: `begin` is called in a microtask once it is the first. Gives what leaves the line and says whether its turn had begun. */
  enter(begin: () => void): () => boolean;
  /** How many stand in it. */
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
