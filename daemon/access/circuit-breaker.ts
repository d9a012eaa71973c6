/** How many failures in a row open it, and for how long, milliseconds. */
const mostFailures = 3;
const pause = 30_000;
/** How many may ask at the same time: a slow server must not gather everybody who waits. */
const mostAtOnce = 32;

/** Answers at once for a server that is away, and lets one question through now and then to see whether it is back. */
export class CircuitBreaker {
  readonly #now: () => number;
  #failures = 0;
  #closedAgainAt = 0;
  #asking = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether nothing is asked just now. */
  get isOpen(): boolean {
    return this.#asking >= mostAtOnce || this.#now() < this.#closedAgainAt;
  }

  /** Asks, and remembers whether somebody was there. Ask {@link isOpen} before. */
  async run<Answer>(ask: () => Promise<Answer>, isAway: (answer: Answer) => boolean): Promise<Answer> {
    this.#asking += 1;
    // While it was away a while, only one at a time finds out whether it is back.
    if (this.#failures >= mostFailures) this.#closedAgainAt = this.#now() + pause;
    try {
      const answer = await ask();
      if (isAway(answer)) this.#fail();
      else this.#failures = 0;
      if (this.#failures === 0) this.#closedAgainAt = 0;
      return answer;
    } catch (error) {
      this.#fail();
      throw error;
    } finally {
      this.#asking -= 1;
    }
  }

  #fail(): void {
    this.#failures += 1;
    if (this.#failures >= mostFailures) this.#closedAgainAt = this.#now() + pause;
  }
}
