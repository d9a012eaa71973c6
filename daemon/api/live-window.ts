import type { EngineDoors } from './route.ts';
import type { LiveItem } from '../operations/recorder.ts';
import type { EventRecord as EngineEvent } from '../state/events.ts';
import type { LogLine } from '../state/logs.ts';
import { LogPages } from './log-pages.ts';

/** Last things kept in memory, so that clients who keep up cost no read of the journal. */
const eventsKept = 2000;
const linesKept = 8000;
/** Characters of text that one operation's kept lines may have: a line may be 16,384 long. */
const textKept = 4 * 1024 * 1024;
/** Operations whose lines are kept; the rest is read from their files. */
const operationsKept = 16;
/** Operations whose last number is remembered while nothing comes. */
const endsKept = 1000;
/** Things that happen together go out together, milliseconds. */
const gatherFor = 10;

interface Numbered {
  readonly number: number;
}

/** The end of a numbered sequence. Asked for what it no longer holds, it says so, and the journal answers. */
class Tail<Item extends Numbered> {
  #items: Item[] = [];
  #weight = 0;
  readonly #capacity: number;
  readonly #weigh: (item: Item) => number;

  constructor(capacity: number, weigh: (item: Item) => number = () => 0) {
    this.#capacity = capacity;
    this.#weigh = weigh;
  }

  push(item: Item): void {
    const { last } = this;
    // A gap would be taken for "nothing there": after one, only what follows it is kept.
    if (last !== undefined && item.number !== last.number + 1) this.#drop(this.#items.length);
    this.#items.push(item);
    this.#weight += this.#weigh(item);
    // Half goes at once, so that the cost of moving is small for each item.
    if (this.#items.length > this.#capacity || this.#weight > textKept)
      this.#drop(Math.ceil(this.#items.length / 2));
  }

  get first(): Item | undefined {
    return this.#items[0];
  }

  get last(): Item | undefined {
    return this.#items.at(-1);
  }

  after(number: number, limit: number): readonly Item[] | undefined {
    const { first } = this;
    if (first === undefined || number + 1 < first.number) return undefined;
    const start = number + 1 - first.number;
    return this.#items.slice(start, start + limit);
  }

  #drop(count: number): void {
    for (const item of this.#items.splice(0, count)) this.#weight -= this.#weigh(item);
  }
}

/**
 * What happened last, in memory, in front of the journal. Every client has a place of its own in the sequence and is
 * served from here or, when it is behind, from the journal: there is no queue a slow client could fill.
 */
export class LiveWindow {
  readonly #engine: EngineDoors;
  readonly #events = new Tail<EngineEvent>(eventsKept);
  readonly #lines = new Map<string, Tail<LogLine>>();
  readonly #pages: LogPages;
  readonly #listeners = new Set<() => void>();
  /** While nothing has come live: the numbers after which the journal had nothing, so that it is not asked again. */
  #lastEvent: number | undefined;
  readonly #lastLines = new Map<string, number>();
  #gathering: NodeJS.Timeout | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(engine: EngineDoors) {
    this.#engine = engine;
    this.#pages = new LogPages((operation, after, limit) => engine.logLines(operation, after, limit));
  }

  start(): void {
    this.#unsubscribe = this.#engine.subscribe((item) => this.#take(item));
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#listeners.clear();
    clearTimeout(this.#gathering);
  }

  /** Calls back soon after something new came, once for all that came together; the answer ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Number of the newest event since the daemon started; undefined = there was none yet. */
  get newestEvent(): number | undefined {
    return this.#events.last?.number;
  }

  /** The number before the oldest event held here; undefined = none is held. */
  get beforeOldestEvent(): number | undefined {
    const oldest = this.#events.first;
    return oldest && oldest.number - 1;
  }

  /** Events after a number, oldest first, from memory or the journal. */
  eventsAfter(number: number, limit: number): readonly EngineEvent[] {
    const kept = this.#events.after(number, limit);
    if (kept !== undefined) return kept;
    if (this.#lastEvent !== undefined && number >= this.#lastEvent) return [];
    const found = this.#engine.events(number, { limit });
    if (found.length === 0 && this.#events.last === undefined) this.#lastEvent = number;
    return found;
  }

  /** Log lines of an operation after a number. `firstKept` > number + 1: lines between were dropped by the size cap. */
  async linesAfter(
    operation: string,
    number: number,
    limit: number,
  ): Promise<{ readonly lines: readonly LogLine[]; readonly firstKept: number }> {
    const tail = this.#lines.get(operation);
    const lines = tail?.after(number, limit);
    if (lines) return { lines, firstKept: 1 };
    if (tail === undefined && number >= (this.#lastLines.get(operation) ?? Infinity))
      return { lines: [], firstKept: 1 };
    const page = await this.#pages.after(operation, number, limit);
    if (page.lines.length === 0 && !this.#lines.has(operation)) this.#rememberLast(operation, number);
    return page;
  }

  #rememberLast(operation: string, number: number): void {
    if (this.#lastLines.size >= endsKept) this.#lastLines.clear();
    this.#lastLines.set(operation, number);
  }

  #take(item: LiveItem): void {
    if (item.type === 'event') {
      this.#events.push(item.event);
      this.#lastEvent = undefined;
    } else {
      this.#tailOf(item.operation).push(item.line);
      this.#lastLines.delete(item.operation);
    }
    // Thousands of things a second wake each client a hundred times a second, not thousands.
    this.#gathering ??= setTimeout(() => this.#tell(), gatherFor).unref();
  }

  #tell(): void {
    this.#gathering = undefined;
    for (const listener of this.#listeners) listener();
  }

  #tailOf(operation: string): Tail<LogLine> {
    const known = this.#lines.get(operation);
    if (known) return known;
    const tail = new Tail<LogLine>(linesKept, (line) => line.text.length);
    this.#lines.set(operation, tail);
    const [oldest] = this.#lines.keys();
    if (this.#lines.size > operationsKept && oldest !== undefined) this.#lines.delete(oldest);
    return tail;
  }
}
