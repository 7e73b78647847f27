type Timer = readonly [at: number, uuid: string];

/**
 * The times at which entries are evaluated again, in order (a binary heap), in milliseconds since 1970. A replaced
 * timer stays in the heap until its time, or until too many are stale.
 */
export class Timers {
  readonly #next = new Map<string, number>();
  #heap: Timer[] = [];

  /** Sets the timer of an entry, or removes it. */
  set(uuid: string, at: number | undefined): void {
    if (this.#next.get(uuid) === at) return;
    if (at === undefined) this.#next.delete(uuid);
    else {
      this.#next.set(uuid, at);
      this.#push([at, uuid]);
    }
    if (this.#heap.length > 2 * this.#next.size + 64) this.#rebuild();
  }

  /** The time of an entry's timer. */
  of(uuid: string): number | undefined {
    return this.#next.get(uuid);
  }

  /** The time of the first timer. */
  first(): number | undefined {
    for (let top = this.#heap[0]; top; top = this.#heap[0]) {
      if (this.#next.get(top[1]) === top[0]) return top[0];
      this.#pop();
    }
    return undefined;
  }

  /** Removes the timers that are due, and returns their entries. */
  due(now: number): string[] {
    const due: string[] = [];
    for (let at = this.first(); at !== undefined && at <= now; at = this.first()) {
      const [, uuid] = this.#heap[0] as Timer;
      this.#next.delete(uuid);
      this.#pop();
      due.push(uuid);
    }
    return due;
  }

  #rebuild(): void {
    this.#heap = [...this.#next].map(([uuid, at]): Timer => [at, uuid]).sort(([a], [b]) => a - b); // a sorted list is a heap
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let place = heap.length;
    heap.push(timer);
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (at(heap, above) <= timer[0]) break;
      heap[place] = heap[above] as Timer;
      place = above;
    }
    heap[place] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (at(heap, below + 1) < at(heap, below)) below += 1;
      if (at(heap, below) >= last[0]) break;
      heap[place] = heap[below] as Timer;
      place = below;
    }
    heap[place] = last;
  }
}

const at = (heap: readonly Timer[], place: number): number => heap[place]?.[0] ?? Number.POSITIVE_INFINITY;
