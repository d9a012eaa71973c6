/** An event that will happen in the model at a time, whoever is alive to see it. */
export interface Timed<T> {
  /** Model time, ms since the epoch. */
  readonly at: number;
  readonly order: number;
  readonly item: T;
}

/** Events in order of time, then of insertion: a binary heap, so that 1,000 machines stay cheap. */
export class TimedQueue<T> {
  #heap: Timed<T>[] = [];
  #order = 0;

  get length(): number {
    return this.#heap.length;
  }

  /** Time of the next event. */
  get next(): number | undefined {
    return this.#heap[0]?.at;
  }

  push(at: number, item: T): void {
    this.#heap.push({ at, order: this.#order++, item });
    this.#rise(this.#heap.length - 1);
  }

  /** Takes the next event if its time is not after `until`. */
  popDue(until: number): Timed<T> | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.at > until) return undefined;
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink(0);
    }
    return first;
  }

  /** Drops events that the predicate names. */
  drop(isDropped: (item: T) => boolean): void {
    this.#heap = this.#heap.filter(({ item }) => !isDropped(item)).sort((a, b) => (before(a, b) ? -1 : 1));
  }

  #rise(from: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfBefore(index, parent)) return;
      index = parent;
    }
  }

  #sink(from: number): void {
    let index = from;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      let least = left;
      if (right < this.#heap.length && this.#isBefore(right, left)) least = right;
      if (least >= this.#heap.length || !this.#swapIfBefore(least, index)) return;
      index = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const first = this.#heap[a];
    const second = this.#heap[b];
    return first !== undefined && second !== undefined && before(first, second);
  }

  #swapIfBefore(a: number, b: number): boolean {
    const first = this.#heap[a];
    const second = this.#heap[b];
    if (first === undefined || second === undefined || !before(first, second)) return false;
    this.#heap[a] = second;
    this.#heap[b] = first;
    return true;
  }
}

const before = (a: Timed<unknown>, b: Timed<unknown>): boolean =>
  a.at < b.at || (a.at === b.at && a.order < b.order);
