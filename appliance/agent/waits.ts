import type { Waiting } from '../../provisioners/contract/ports.ts';
import type { Duration, Instant } from '../../provisioners/contract/time.ts';
import type { Clock } from './clock.ts';

/** How often an unchanged wait is said again. */
const repeat: Duration = 15_000;

/** What a step's waits need. */
interface WaitsOptions {
  readonly clock: Clock;
  /** After this long in the step, the wait is said aloud with what a person could do. */
  readonly soft: Duration;
  readonly say: (waiting: Waiting) => void;
  readonly log: (text: string) => void;
}

/** Says what a step waits for: at once when it changes, now and then when it does not, aloud after the soft limit. */
export class Waits {
  readonly #options: WaitsOptions;
  readonly #startedAt: Instant;
  #last: Waiting | undefined;
  /** What was awaited since when; also of waits that an unanswered look interrupts. */
  readonly #since = new Map<string, Instant>();
  #saidAt: Instant | undefined;
  #isWarned = false;

  constructor(options: WaitsOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  /** What was awaited last, or undefined when nothing is. */
  get last(): Waiting | undefined {
    return this.#last;
  }

  /** Says it with the moment since which the same is awaited, whatever moment the look itself names. */
  say(said: Waiting): void {
    const first = this.#since.get(said.what);
    const since = first !== undefined && Date.parse(first) < Date.parse(said.since) ? first : said.since;
    this.#since.set(said.what, since);
    const waiting = { ...said, since };
    const now = this.#options.clock.now();
    const isSame = this.#last?.what === waiting.what && this.#last.lastSeen === waiting.lastSeen;
    const isOverSoft = millisecondsBetween(this.#startedAt, now) >= this.#options.soft;
    this.#last = isOverSoft ? { ...waiting, youCould: waiting.youCould ?? advice } : waiting;
    const isWarning = isOverSoft && !this.#isWarned;
    if (isSame && !isWarning && this.#saidAt !== undefined && millisecondsBetween(this.#saidAt, now) < repeat)
      return;
    this.#saidAt = now;
    this.#options.say(this.#last);
    if (isWarning) this.#warn(this.#last);
  }

  /** Nothing is awaited any more. */
  end(): void {
    this.#last = undefined;
    this.#saidAt = undefined;
    this.#since.clear();
  }

  #warn(waiting: Waiting): void {
    this.#isWarned = true;
    this.#options.log(
      `this takes longer than usual: waiting for ${waiting.what} since ${waiting.since} ` +
        `(usually ${Math.round(waiting.usually / 1000)} s); last seen: ${waiting.lastSeen}. ` +
        `You could: ${waiting.youCould ?? advice} Remuda goes on looking.`,
    );
  }
}

const advice = 'read the last lines of this step in the log, and look at the machine it names.';

function millisecondsBetween(from: Instant, to: Instant): Duration {
  return Date.parse(to) - Date.parse(from);
}
