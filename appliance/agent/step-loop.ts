import type { Json } from '../../provisioners/contract/json.ts';
import type { Waiting } from '../../provisioners/contract/ports.ts';
import { Blocked, type ProblemReport, reportOf } from '../../provisioners/contract/problem.ts';
import type { AnyStep, Observation, StepContext } from '../../provisioners/contract/step.ts';
import type { Duration, Instant } from '../../provisioners/contract/time.ts';
import type { Clock } from './clock.ts';
import type { Outcome } from './protocol/dispatch.ts';
import { HardLimit, isAborted, StepCancelled, unlessAborted } from './interruption.ts';
import { backoff, lookAgain } from './pace.ts';
import { Trouble } from './trouble.ts';
import { Waits } from './waits.ts';

/** How long a running apply may take to notice that the hard limit is over. */
const grace: Duration = 30_000;

/** One attempt at one step, with everything it may touch. */
export interface StepRun {
  readonly step: AnyStep;
  /** Already checked by the step's schema. */
  readonly input: unknown;
  /** Its signal is `signals.looking` or `signals.applying`, as {@link enter} said last. */
  readonly context: StepContext;
  readonly clock: Clock;
  readonly signals: { readonly looking: AbortSignal; readonly applying: AbortSignal };
  /** Says which of the two the context lives in from now on. */
  readonly enter: (state: 'looking' | 'applying') => void;
  readonly receipt: { read(): Json | undefined; write(facts: Json): void };
  /** Names this attempt in a report of our own bug. */
  readonly reference: string;
}

/**
 * The loop of DESIGN §4: look; apply only on `todo` and `broken`; look again. Unknown (a thrown error) and `pending`
 * never lead to an apply.
 * @throws AgentStopped when the agent ends; the attempt is not over then.
 */
export async function runStep(run: StepRun): Promise<Outcome> {
  return new StepLoop(run).run();
}

class StepLoop {
  readonly #run: StepRun;
  readonly #waits: Waits;
  readonly #trouble: Trouble;
  readonly #startedAt: Instant;
  /** Tries that count towards the step's limit. */
  #tries = 0;
  #hasApplied = false;
  #unknown = 0;
  #faults = 0;
  #looks = 0;
  /** The last problem seen, for the report if it ends badly. */
  #problem: ProblemReport | undefined;

  constructor(run: StepRun) {
    this.#run = run;
    this.#startedAt = run.clock.now();
    this.#trouble = new Trouble(run.step.limits.trouble);
    this.#waits = new Waits({
      clock: run.clock,
      soft: run.step.limits.soft,
      say: (waiting) => run.context.waiting(waiting),
      log: (text) => run.context.log(text),
    });
  }

  async run(): Promise<Outcome> {
    const { step, receipt } = this.#run;
    const kept = step.nature === 'act' ? receipt.read() : undefined;
    if (kept !== undefined) return { state: 'succeeded', facts: await this.#completed(kept), changed: false };
    try {
      for (;;) {
        const outcome = await this.#turn();
        if (outcome !== undefined) return outcome;
      }
    } catch (thrown) {
      if (thrown instanceof StepCancelled) return { state: 'cancelled' };
      if (thrown instanceof HardLimit) return this.#overHardLimit();
      throw thrown;
    }
  }

  /**
   * The facts of an act that was delivered before: where whoever delivered it died before it could read them, what can
   * be read now. The act itself is never repeated.
   */
  async #completed(kept: Json): Promise<Json> {
    const { step, context, input, signals, receipt } = this.#run;
    if (Object.keys(kept ?? {}).length > 0) return kept;
    try {
      const seen = await unlessAborted(step.observe(context, input), signals.applying);
      if (seen.state !== 'done') return kept;
      receipt.write(seen.facts);
      return seen.facts;
    } catch {
      return kept;
    }
  }

  async #turn(): Promise<Outcome | undefined> {
    const seen = await this.#look();
    if (seen === undefined || 'kind' in seen) return seen === undefined ? undefined : this.#failed(seen);
    if (seen.state !== 'pending' && seen.state !== 'blocked') this.#waits.end();
    // What is still to do may be just what does not work.
    if (seen.state !== 'todo' && seen.state !== 'broken') this.#trouble.end();
    switch (seen.state) {
      case 'done':
        return this.#done(seen.facts);
      case 'pending':
        await this.#wait({
          what: seen.what,
          lastSeen: seen.lastSeen ?? seen.what,
          since: seen.since,
          usually: seen.usually,
        });
        return undefined;
      case 'blocked':
        await this.#waitForSomebody(seen.why, seen.remedy, seen.what);
        return undefined;
      default:
        return this.#apply(seen);
    }
  }

  /** What observe saw; a report when it can never be seen; undefined when it is unknown for now. */
  async #look(): Promise<Observation<Json> | ProblemReport | undefined> {
    const { step, context, input, signals } = this.#run;
    this.#run.enter('looking');
    try {
      signals.looking.throwIfAborted();
      const seen = await unlessAborted(step.observe(context, input), signals.looking);
      this.#unknown = 0;
      return seen;
    } catch (thrown) {
      this.#throwIfOver();
      return this.#unknownNow(thrown);
    }
  }

  async #unknownNow(thrown: unknown): Promise<ProblemReport | undefined> {
    const report = reportOf(thrown, this.#run.reference);
    this.#problem = report;
    this.#unknown += 1;
    if (report.kind === 'user') return report;
    if (report.kind === 'fault') {
      this.#faults += 1;
      if (this.#faults >= Math.max(1, this.#run.step.limits.attempts)) return report;
    }
    const over = this.#trouble.note(report, this.#run.clock.now());
    if (over !== undefined) return over;
    if (report.kind === 'blocked')
      await this.#waitForSomebody(report.summary, report.remedy ?? 'See the log.');
    else await this.#waitAfterError(report);
    return undefined;
  }

  async #apply(seen: {
    readonly state: 'todo' | 'broken';
    readonly why: string;
  }): Promise<Outcome | undefined> {
    const { step, context, input, signals, receipt } = this.#run;
    if (this.#tries >= Math.max(1, step.limits.attempts)) return this.#gaveUp(seen.why);
    if (this.#tries > 0) await this.#pause(backoff(this.#tries, this.#run.clock));
    this.#throwIfOver();
    context.log(seen.state === 'broken' ? `half-made, repairing: ${seen.why}` : `to do: ${seen.why}`);
    this.#tries += 1;
    this.#hasApplied = true;
    this.#run.enter('applying');
    try {
      await unlessAborted(step.apply(context, input), signals.applying, () =>
        this.#run.clock.sleep(grace, new AbortController().signal),
      );
      this.#problem = undefined;
      this.#trouble.end();
      if (step.nature === 'act') return this.#delivered(receipt);
    } catch (thrown) {
      const report = reportOf(thrown, this.#run.reference);
      this.#throwIfOver({ isApply: true });
      this.#problem = report;
      const over = report.kind === 'user' ? report : this.#trouble.note(report, this.#run.clock.now());
      if (over !== undefined) return this.#failed(over);
      const awaits = thrown instanceof Blocked ? thrown.awaits : undefined;
      const how = awaits === undefined ? 'this try did not work' : 'not yet';
      context.log(`${how}: ${report.summary}`, report.machine);
      if (report.kind === 'blocked') {
        this.#tries -= 1;
        await this.#waitForSomebody(report.summary, report.remedy ?? 'See the log.', awaits);
      } else if (this.#tries < step.limits.attempts) await this.#pause(backoff(this.#tries, this.#run.clock));
    }
    return this.#afterApply();
  }

  /** A cancel that came during the apply takes effect now, unless the work is done after all. */
  async #afterApply(): Promise<Outcome | undefined> {
    const { signals, step, context, input } = this.#run;
    this.#looks = 0;
    if (!isAborted(signals.looking, StepCancelled)) return undefined;
    try {
      const seen = await unlessAborted(step.observe(context, input), signals.applying);
      if (seen.state === 'done') return this.#done(seen.facts);
    } catch {
      this.#throwIfOver({ isApply: true });
    }
    return { state: 'cancelled' };
  }

  /** An act came back without an error: its receipt is ours from now on, whatever can be seen of it. */
  async #delivered(receipt: StepRun['receipt']): Promise<Outcome> {
    const { step, context, input, signals } = this.#run;
    receipt.write({});
    let facts: Json = {};
    try {
      const seen = await unlessAborted(step.observe(context, input), signals.applying);
      if (seen.state === 'done') facts = seen.facts;
    } catch {
      // The act is delivered; only its facts could not be read. They are empty then.
    }
    return this.#done(facts);
  }

  #done(facts: Json): Outcome {
    if (this.#run.step.nature === 'act') this.#run.receipt.write(facts);
    return { state: 'succeeded', facts, changed: this.#hasApplied };
  }

  #failed(problem: ProblemReport): Outcome {
    return { state: 'failed', problem, hardLimit: false };
  }

  #gaveUp(why: string): Outcome {
    const last = this.#problem;
    return this.#failed({
      ...last,
      kind: last?.kind === 'fault' ? 'fault' : 'blocked',
      code: last?.code ?? 'STEP-001',
      summary: last?.summary ?? `After ${this.#tries} tries it is still not so: ${why}`,
      remedy:
        last?.remedy ??
        'Read the last lines of this step in the log, mend the cause, then resume the operation.',
    });
  }

  #overHardLimit(): Outcome {
    const spent = Math.round((Date.parse(this.#run.clock.now()) - Date.parse(this.#startedAt)) / 1000);
    const last = this.#waits.last;
    const seen = this.#problem?.summary ?? last?.lastSeen ?? 'nothing that helps';
    const problem: ProblemReport = {
      ...this.#problem,
      kind: 'blocked',
      code: 'STEP-002',
      summary: `Gave up after ${spent} s waiting for ${last?.what ?? 'this step'}; last seen: ${seen}`,
      remedy: `${last?.youCould ?? this.#problem?.remedy ?? 'Mend the cause.'} Then resume the operation: it goes on from here.`,
    };
    return { state: 'failed', problem, hardLimit: true };
  }

  async #wait(waiting: Waiting): Promise<void> {
    if (this.#waits.last?.what !== waiting.what) this.#looks = 0;
    this.#waits.say(waiting);
    await this.#pause(lookAgain(this.#looks, this.#run.clock));
    this.#looks += 1;
  }

  async #waitForSomebody(why: string, remedy: string, what = 'somebody to act'): Promise<void> {
    const since = this.#run.clock.now();
    await this.#wait({ what, lastSeen: why, since, usually: this.#run.step.limits.soft, youCould: remedy });
  }

  async #waitAfterError(report: ProblemReport): Promise<void> {
    const machine = report.machine === undefined ? '' : ` (${report.machine})`;
    this.#waits.say({
      what: `an answer${machine}`,
      lastSeen: report.summary,
      since: this.#run.clock.now(),
      usually: 10_000,
      ...(report.remedy === undefined ? {} : { youCould: report.remedy }),
    });
    const of = report.machine === undefined ? 'shared' : 'machine';
    await this.#pause(backoff(this.#unknown, this.#run.clock, of));
  }

  /** A wait: ends at once on cancel, stop and hard limit. */
  async #pause(duration: Duration): Promise<void> {
    await this.#run.clock.sleep(duration, this.#run.signals.looking);
  }

  /** Turns an abort into its cause. While applying, a cancel waits. */
  #throwIfOver(state: { readonly isApply?: boolean } = {}): void {
    const { looking, applying } = this.#run.signals;
    applying.throwIfAborted();
    if (state.isApply !== true) looking.throwIfAborted();
  }
}
