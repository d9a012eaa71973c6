import type { EngineDoors } from './route.ts';
import type { LiveItem } from '../operations/requests.ts';
import type { EventRecord as EngineEvent } from '../state/events.ts';
import type { LogLine } from '../state/logs.ts';

/** Last things kept in memory, so that clients who keep up cost no read of the journal. */
const eventsKept = 2000;
const linesKept = 4000;
/** Operations whose lines are kept; the rest is read from their files. */
const operationsKept = 32;

interface Numbered {
  readonly number: number;
}

/** The end of a numbered sequence. Asked for what it no longer holds, it says so, and the journal answers. */
class Tail<Item extends Numbered> {
  #items: Item[] = [];
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  push(item: Item): void {
    const last = this.#items.at(-1);
    // A gap would be taken for "nothing there": after one, only what follows it is kept.
    if (last !== undefined && item.number !== last.number + 1) this.#items = [];
    this.#items.push(item);
    if (this.#items.length > 2 * this.#capacity) this.#items = this.#items.slice(-this.#capacity);
  }

  after(number: number, limit: number): readonly Item[] | undefined {
    const [first] = this.#items;
    if (first === undefined || number + 1 < first.number) return undefined;
    const start = number + 1 - first.number;
    return this.#items.slice(start, start + limit);
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
  #listeners = new Set<() => void>();
  #unsubscribe: (() => void) | undefined;

  constructor(engine: EngineDoors) {
    this.#engine = engine;
  }

  start(): void {
    this.#unsubscribe = this.#engine.subscribe((item) => this.#take(item));
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#listeners.clear();
  }

  /** Calls back whenever something is new; the answer ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Events after a number, oldest first, from memory or the journal. */
  eventsAfter(number: number, limit: number): readonly EngineEvent[] {
    return this.#events.after(number, limit) ?? this.#engine.events(number, { limit });
  }

  /** Log lines of an operation after a number. `firstKept` > number + 1: lines between were dropped by the size cap. */
  async linesAfter(
    operation: string,
    number: number,
    limit: number,
  ): Promise<{ readonly lines: readonly LogLine[]; readonly firstKept: number }> {
    const lines = this.#lines.get(operation)?.after(number, limit);
    return lines ? { lines, firstKept: 1 } : this.#engine.logLines(operation, number, limit);
  }

  #take(item: LiveItem): void {
    if (item.type === 'event') this.#events.push(item.event);
    else this.#tailOf(item.operation).push(item.line);
    for (const listener of this.#listeners) listener();
  }

  #tailOf(operation: string): Tail<LogLine> {
    const known = this.#lines.get(operation);
    if (known) return known;
    const tail = new Tail<LogLine>(linesKept);
    this.#lines.set(operation, tail);
    const [oldest] = this.#lines.keys();
    if (this.#lines.size > operationsKept && oldest !== undefined) this.#lines.delete(oldest);
    return tail;
  }
}
