import type { Instant } from '../../provisioners/contract/time.ts';
import type { Clock } from '../state/clock.ts';
import type { EventRecord, NewEvent } from '../state/events.ts';
import type { LogLine } from '../state/logs.ts';
import type { State } from '../state/state.ts';

/** What subscribers get, in the order it became durable. */
export type LiveItem =
  | { readonly type: 'event'; readonly event: EventRecord }
  | { readonly type: 'log'; readonly operation: string; readonly cluster: string; readonly line: LogLine };

/** Notes an event in the transaction that is being made. */
export type Note = (event: Omit<NewEvent, 'at'>) => void;

/**
 * Writes to the journal together with the events that tell of it, and hands those to whoever listens once they are
 * durable, in the order of their numbers.
 */
export class Recorder {
  readonly state: State;
  readonly clock: Clock;
  readonly #listeners = new Set<(item: LiveItem) => void>();

  constructor(state: State, clock: Clock) {
    this.state = state;
    this.clock = clock;
  }

  now(): Instant {
    return new Date(this.clock.now()).toISOString();
  }

  /** Resolves when `change` and its events are durable. `change` may run twice: it touches only the database. */
  async commit<T>(change: (note: Note, at: Instant) => T): Promise<T> {
    const { value, events } = await this.state.journal.write(() => {
      const at = this.now();
      const noted: EventRecord[] = [];
      const result = change((event) => noted.push(this.state.events.append({ at, ...event })), at);
      return { value: result, events: noted };
    });
    for (const event of events) this.#tell({ type: 'event', event });
    return value;
  }

  tellLog(operation: string, cluster: string, line: LogLine): void {
    this.#tell({ type: 'log', operation, cluster, line });
  }

  /** Listeners must not throw and must be quick; the answer ends the subscription. */
  subscribe(listener: (item: LiveItem) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(item: LiveItem): void {
    for (const listener of this.#listeners) listener(item);
  }
}
