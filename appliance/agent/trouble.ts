import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import { type Duration, type Instant, minutes } from '../../provisioners/contract/time.ts';

/**
 * Since when nothing but problems has come of a step's looks and tries. Some steps wait for things that nobody but a
 * person brings back, and hold up what could go on without them: those stop earlier than a wait that is well.
 */
export class Trouble {
  readonly #limit: Duration | undefined;
  #since: number | undefined;

  /** `limit`: how long it may last; for ever when there is none. */
  constructor(limit: Duration | undefined) {
    this.#limit = limit;
  }

  /** Something came of it. */
  end(): void {
    this.#since = undefined;
  }

  /** One more problem. Answers how the step ends when there were only problems for too long. */
  note(problem: ProblemReport, now: Instant): ProblemReport | undefined {
    const at = Date.parse(now);
    this.#since ??= at;
    if (this.#limit === undefined || at - this.#since < this.#limit) return undefined;
    const lasted = Math.round((at - this.#since) / minutes(1));
    return {
      ...problem,
      kind: 'blocked',
      summary: `${problem.summary.replace(/\.$/, '')}; it has been so for ${lasted} ${lasted === 1 ? 'minute' : 'minutes'}`,
      remedy: `${problem.remedy ?? 'Mend the cause.'} Then resume the operation: it goes on from here.`,
    };
  }
}
