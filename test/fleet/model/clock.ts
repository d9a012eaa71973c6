import type { Duration, Instant } from '../../../provisioners/contract/time.ts';
import { TimedQueue } from './queue.ts';

/** Where model time starts: any fixed instant will do, this one makes printed timelines easy to read. */
export const modelEpoch = Date.parse('2026-01-01T00:00:00.000Z');

/** A clock as daemon, agent and steps see it. */
export interface FleetClock {
  now(): Instant;
  /** Model time, ms since the epoch. */
  milliseconds(): number;
  sleep(duration: Duration, signal?: AbortSignal): Promise<void>;
  /** Runs `act` once after the duration; the returned function cancels it. */
  later(duration: Duration, act: () => void): () => void;
}

/**
 * Time that moves only when nobody has anything left to do: a 20-minute create takes milliseconds. Promise chains and
 * `setImmediate` are drained before each jump, so work between two sleeps takes no model time.
 */
export class VirtualClock implements FleetClock {
  #now = modelEpoch;
  readonly #timers = new TimedQueue<{ act: () => void; cancelled: boolean }>();
  /** Told before each jump, so that the model can settle what happens in between, in order. */
  onAdvance: ((to: number) => void) | undefined;
  /** Real work outside the event loop's own turns (file reads, worker threads) that time must wait for. */
  #held = 0;

  now(): Instant {
    return new Date(this.#now).toISOString();
  }

  milliseconds(): number {
    return this.#now;
  }

  later(duration: Duration, act: () => void): () => void {
    const timer = { act, cancelled: false };
    this.#timers.push(this.#now + Math.max(0, duration), timer);
    return () => {
      timer.cancelled = true;
    };
  }

  sleep(duration: Duration, signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (signal?.aborted === true) {
      reject(signal.reason);
      return promise;
    }
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = this.later(duration, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
    return promise;
  }

  /** Keeps time still while real work of the operating system is under way. */
  async hold<T>(work: Promise<T>): Promise<T> {
    this.#held += 1;
    try {
      return await work;
    } finally {
      this.#held -= 1;
    }
  }

  /**
   * Moves time until the promise settles.
   * @throws Error when nothing is left that could settle it, or `limit` of model time has passed: a hang, said so.
   */
  async run<T>(work: Promise<T>, limit: Duration = 24 * 3_600_000): Promise<T> {
    const end = this.#now + limit;
    let isSettled = false;
    const watched = work.finally(() => {
      isSettled = true;
    });
    watched.catch(() => undefined);
    let idle = 0;
    for (;;) {
      await turn();
      if (isSettled) return await watched;
      if (this.#held > 0) continue;
      if (this.#step(end)) {
        idle = 0;
        continue;
      }
      idle += 1;
      if (idle > 50)
        throw new Error(`nothing moves any more at ${this.now()} (limit ${limit} ms of model time)`);
    }
  }

  #step(end: number): boolean {
    for (;;) {
      const next = this.#timers.next;
      if (next === undefined || next > end) return false;
      if (next > this.#now) this.onAdvance?.(next);
      this.#now = Math.max(this.#now, next);
      const timer = this.#timers.popDue(this.#now);
      if (timer === undefined) return false;
      if (timer.item.cancelled) continue;
      timer.item.act();
      return true;
    }
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
