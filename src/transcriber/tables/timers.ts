type Alarm = readonly [at: number, uuid: string];

/**
 * The moments at which entries are to be looked at again, ordered by date (a binary heap).
 * An alarm that was set anew stays in the heap until it is met or there are too many of its kind.
 */
export class Alarms {
  readonly #next = new Map<string, number>();
  #heap: Alarm[] = [];

  /** Sets the moment of an entry, or takes it away. */
  set(uuid: string, at: number | undefined): void {
    if (this.#next.get(uuid) === at) return;
    if (at === undefined) this.#next.delete(uuid);
    else {
      this.#next.set(uuid, at);
      this.#push([at, uuid]);
    }
    if (this.#heap.length > 2 * this.#next.size + 64) this.#rebuild();
  }

  of(uuid: string): number | undefined {
    return this.#next.get(uuid);
  }

  /** The first moment, milliseconds since 1970. */
  first(): number | undefined {
    for (let top = this.#heap[0]; top; top = this.#heap[0]) {
      if (this.#next.get(top[1]) === top[0]) return top[0];
      this.#pop();
    }
    return undefined;
  }

  /** Takes the entries whose moment has come. */
  due(now: number): string[] {
    const due: string[] = [];
    for (let at = this.first(); at !== undefined && at <= now; at = this.first()) {
      const [, uuid] = this.#heap[0] as Alarm;
      this.#next.delete(uuid);
      this.#pop();
      due.push(uuid);
    }
    return due;
  }

  #rebuild(): void {
    this.#heap = [...this.#next].map(([uuid, at]): Alarm => [at, uuid]).sort(([a], [b]) => a - b); // a sorted list is a heap
  }

  #push(alarm: Alarm): void {
    const heap = this.#heap;
    let place = heap.length;
    heap.push(alarm);
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (at(heap, above) <= alarm[0]) break;
      heap[place] = heap[above] as Alarm;
      place = above;
    }
    heap[place] = alarm;
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
      heap[place] = heap[below] as Alarm;
      place = below;
    }
    heap[place] = last;
  }
}

const at = (heap: readonly Alarm[], place: number): number => heap[place]?.[0] ?? Number.POSITIVE_INFINITY;
