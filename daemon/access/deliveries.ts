import type { Clock } from '../state/clock.ts';

/** Pauses after failures, milliseconds: each twice as long as the one before it. */
const firstPause = 1000;
const longestPause = 5 * 60_000;

/** A receiver at work. */
interface Delivering {
  isRunning: boolean;
  /** Something came while it was at it: it looks once more when it is through. */
  isWoken: boolean;
  failures: number;
  /** Takes back the next try, while one is set. */
  again: (() => void) | undefined;
}

/**
 * When each receiver's turn comes to be given what waits for it: one turn at a time, another at once when something came
 * meanwhile, and after a failure a later one. Receivers never wait for each other. Knows nothing of what is delivered.
 */
export class Deliveries {
  readonly #clock: Clock;
  readonly #deliverAll: (name: string) => Promise<boolean>;
  readonly #work = new Map<string, Delivering>();
  #isStarted = false;

  /** `deliverAll` delivers until nothing waits, and answers false when a delivery did not come about; it never throws. */
  constructor(clock: Clock, deliverAll: (name: string) => Promise<boolean>) {
    this.#clock = clock;
    this.#deliverAll = deliverAll;
  }

  /** Whoever delivers asks again after every wait: the process may have been stopped, and the state closed. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  start(): void {
    this.#isStarted = true;
  }

  stop(): void {
    this.#isStarted = false;
    for (const { again } of this.#work.values()) again?.();
  }

  /** There may be something for a receiver. One that failed a moment ago is left to its pause. */
  wake(name: string): void {
    if (!this.#isStarted) return;
    const idle = { isRunning: false, isWoken: false, failures: 0, again: undefined };
    const work: Delivering = this.#work.get(name) ?? idle;
    this.#work.set(name, work);
    if (work.isRunning) work.isWoken = true;
    else if (work.again === undefined) void this.#run(name, work);
  }

  /** Its settings are others: it is tried at once, whatever failed before. */
  tryAgain(name: string): void {
    const work = this.#work.get(name);
    work?.again?.();
    if (work) Object.assign(work, { again: undefined, failures: 0 });
    this.wake(name);
  }

  /** There is no such receiver any more. */
  forget(name: string): void {
    this.#work.get(name)?.again?.();
    this.#work.delete(name);
  }

  async #run(name: string, work: Delivering): Promise<void> {
    work.isRunning = true;
    let isWell = true;
    do {
      work.isWoken = false;
      isWell = await this.#deliverAll(name);
    } while (isWell && work.isWoken);
    work.isRunning = false;
    work.failures = isWell ? 0 : work.failures + 1;
    if (isWell || !this.#isStarted || this.#work.get(name) !== work) return;
    const pause = Math.min(longestPause, firstPause * 2 ** (work.failures - 1));
    work.again = this.#clock.after(pause, () => {
      work.again = undefined;
      this.wake(name);
    });
  }
}
