import type { Clock } from '../../../daemon/state/clock.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
  readonly owner: object;
}

/** A fake clock: time moves only when the test moves it. Each process has its own view, which dies with it. */
export class FakeClock {
  #now = Date.parse('2026-11-21T00:00:00.000Z');
  #order = 0;
  #timers: Timer[] = [];

  get now(): number {
    return this.#now;
  }

  /** A process's clock; `kill` forgets all its timers. */
  view(): { readonly clock: Clock; readonly kill: () => void } {
    const owner = {};
    let isDead = false;
    const clock: Clock = {
      now: () => this.#now,
      after: (delay, act) => {
        const timer: Timer = { at: this.#now + delay, order: (this.#order += 1), act, owner };
        if (!isDead) this.#timers.push(timer);
        return () => {
          this.#timers = this.#timers.filter((one) => one !== timer);
        };
      },
    };
    const kill = (): void => {
      isDead = true;
      this.#timers = this.#timers.filter((one) => one.owner !== owner);
    };
    return { clock, kill };
  }

  /** Runs the next timer, moving time to it; false when there is none. */
  tick(): boolean {
    const [next] = this.#timers.toSorted((one, other) => one.at - other.at || one.order - other.order);
    if (next === undefined) return false;
    this.#timers = this.#timers.filter((one) => one !== next);
    this.#now = Math.max(this.#now, next.at);
    next.act();
    return true;
  }
}

/** Lets everything that is already resolved be acted on. */
export const settle = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });
