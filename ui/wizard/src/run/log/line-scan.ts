import { type Chunk, type LineStore } from './line-store.ts';
import { type Level, levels } from './level.ts';

/** Which lines to show, and which of them to mark. */
export interface LineFilter {
  /** Text to look for, any case; '' = nothing is looked for. */
  readonly query: string;
  /** Show only lines with the text. */
  readonly isOnlyMatching: boolean;
  /** '' = every machine. */
  readonly machine: string;
  /** '' = every step. */
  readonly step: string;
  /** Lines at least so serious. */
  readonly level: Level;
}

/** Shows everything and looks for nothing. */
export const noFilter: LineFilter = {
  query: '',
  isOnlyMatching: false,
  machine: '',
  step: '',
  level: 'plain',
};

/** How long one slice of work may take, milliseconds: a frame has 16 and others need some of it. */
const sliceTime = 6;

/** A list of positions that grows without copying each time. */
class Positions {
  #items = new Uint32Array(1024);
  length = 0;

  push(position: number): void {
    if (this.length === this.#items.length) {
      const larger = new Uint32Array(this.#items.length * 2);
      larger.set(this.#items);
      this.#items = larger;
    }
    this.#items[this.length] = position;
    this.length += 1;
  }

  at(index: number): number {
    return this.#items[index] ?? 0;
  }

  /** Index of the first position that is at least this. */
  lowerBound(position: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.at(middle) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Goes through a log once for each filter and follows it as it grows, a few milliseconds at a time, so that neither
 * typing nor scrolling ever waits for a search.
 */
export class LineScan {
  readonly #store: LineStore;
  #onProgress: () => void = () => undefined;
  #channel: MessageChannel | undefined;
  #filter = noFilter;
  #next = 0;
  #shown = new Positions();
  #matches = new Positions();
  #isWorking = false;

  constructor(store: LineStore) {
    this.#store = store;
  }

  /** Begins to work; calls back after each slice. */
  start(onProgress: () => void): void {
    this.#onProgress = onProgress;
    // Unlike a timer a message is not held back, and it lets the browser draw and take input in between.
    this.#channel = new MessageChannel();
    this.#channel.port1.addEventListener('message', () => this.#slice());
    this.#channel.port1.start();
    this.#isWorking = false;
    this.wake();
  }

  /** Starts anew with another filter. */
  use(filter: LineFilter): void {
    this.#filter = filter;
    this.#next = this.#store.start;
    this.#shown = new Positions();
    this.#matches = new Positions();
    this.wake();
  }

  /** There are new lines. */
  wake(): void {
    if (this.#isWorking || this.#channel === undefined) return;
    this.#isWorking = true;
    this.#channel.port2.postMessage(0);
  }

  stop(): void {
    this.#channel?.port1.close();
    this.#channel = undefined;
  }

  /** True while every line is shown: rows and positions are then the same. */
  get #isAll(): boolean {
    const { machine, step, level, query, isOnlyMatching } = this.#filter;
    return machine === '' && step === '' && level === 'plain' && (query === '' || !isOnlyMatching);
  }

  /** True while there are lines that were not looked at. */
  get isBehind(): boolean {
    return this.#next < this.#store.end;
  }

  /** Rows to show. */
  get rows(): number {
    return this.#isAll ? this.#store.end - this.#store.start : this.#shown.length - this.#gone;
  }

  /** Lines with the text, among those shown. */
  get matches(): number {
    return this.#matches.length;
  }

  /** The position that a row shows. */
  positionAt(row: number): number {
    return this.#isAll ? this.#store.start + row : this.#shown.at(row + this.#gone);
  }

  /** The row of a position, or of the first one after it that is shown. */
  rowOf(position: number): number {
    if (this.#isAll) return Math.max(0, position - this.#store.start);
    return Math.max(0, this.#shown.lowerBound(position) - this.#gone);
  }

  /** Position of a match by its index. */
  matchAt(index: number): number {
    return this.#matches.at(index);
  }

  /** Index of the first match at or after a position. */
  matchAfter(position: number): number {
    return this.#matches.lowerBound(position);
  }

  /** Shown rows whose lines the store has dropped since. */
  get #gone(): number {
    return this.#store.start === 0 ? 0 : this.#shown.lowerBound(this.#store.start);
  }

  #slice(): void {
    const until = performance.now() + sliceTime;
    this.#next = Math.max(this.#next, this.#store.start);
    while (this.isBehind && performance.now() < until) this.#scanChunk();
    this.#isWorking = this.isBehind;
    this.#onProgress();
    if (this.#isWorking) this.#channel?.port2.postMessage(0);
  }

  #scanChunk(): void {
    const chunk = this.#store.chunkAt(this.#next);
    if (chunk === undefined) return;
    const first = this.#next % chunk.numbers.length;
    const base = this.#next - first;
    const wanted = this.#wantedIn(chunk);
    const hasText = textFinder(chunk, this.#filter.query.toLowerCase(), first);
    const { isOnlyMatching, query } = this.#filter;
    for (let index = first; index < chunk.count; index += 1) {
      if (!wanted(index)) continue;
      const isMatch = query !== '' && hasText(index);
      if (isMatch) this.#matches.push(base + index);
      if (!this.#isAll && (isMatch || !isOnlyMatching || query === '')) this.#shown.push(base + index);
    }
    this.#next = base + chunk.count;
  }

  #wantedIn(chunk: Chunk): (index: number) => boolean {
    const { machine, step, level } = this.#filter;
    const machineNumber = machine === '' ? undefined : this.#store.machines.find(machine);
    const stepNumber = step === '' ? undefined : this.#store.steps.find(step);
    const leastLevel = levels.indexOf(level);
    return (index) =>
      (machineNumber === undefined || chunk.machines[index] === machineNumber) &&
      (stepNumber === undefined || chunk.steps[index] === stepNumber) &&
      (chunk.levels[index] ?? 0) >= leastLevel;
  }
}

/** Tells line by line, in order, whether a chunk's text has the query: the whole chunk is lowered and searched at once. */
function textFinder(chunk: Chunk, query: string, first: number): (index: number) => boolean {
  if (query === '') return () => false;
  const text = chunk.text.toLowerCase();
  // A few letters of the world get longer when lowered; places in the text are wrong then.
  if (text.length !== chunk.text.length) return (index) => chunk.textOf(index).toLowerCase().includes(query);
  let found = text.indexOf(query, chunk.starts[first]);
  return (index) => {
    const start = chunk.starts[index] ?? 0;
    const end = (chunk.starts[index + 1] ?? 0) - 1;
    while (found >= 0 && found < start) found = text.indexOf(query, start);
    return found >= 0 && found + query.length <= end;
  };
}
