import { canonicalJson, type Json } from '../../provisioners/contract/json.ts';
import { type Plan, type PlannedStep, resolveReferences } from '../../provisioners/contract/plan.ts';
import { referencedSteps } from '../planning/planned-step.ts';
import type { AttemptRecord } from '../state/attempts.ts';

/** What an operation has done under its earlier plans, and what of that is still under way. All by step id. */
export interface PastWork {
  /** Attempts that may be running. */
  readonly open: ReadonlyMap<string, AttemptRecord>;
  /** The newest attempt that is over, well or not. */
  readonly ended: ReadonlyMap<string, AttemptRecord>;
  readonly facts: ReadonlyMap<string, Json>;
  natureOf(kind: string): 'ensure' | 'act';
}

/** How a new plan goes on from what was done before. */
export interface Continuation {
  /** Steps that need not run: acts with a receipt, checks that were passed about the same things, see below. */
  readonly done: ReadonlySet<string>;
  /** Open attempts that are steps of this plan: they are not started again. */
  readonly started: ReadonlySet<string>;
  /** Open attempts that this plan does not want as they were sent: they are let end before anything takes their place. */
  readonly strays: ReadonlySet<string>;
}

/**
 * Finds out how a plan goes on from what was done before. Pure.
 *
 * An open attempt is the plan's own when the step would be sent with the same input now, and everything that comes
 * before it in the plan has ended well: that is how it was begun. What comes before it on the same machine is then not
 * looked at again while it works there. Checks are not asked again about the same things, or one machine that does
 * not answer would hold up all that were checked together with it (complaint 1).
 */
export function continueWith(plan: Plan, past: PastWork): Continuation {
  return new Continuing(plan, past).judge();
}

class Continuing {
  readonly #steps: ReadonlyMap<string, PlannedStep>;
  readonly #past: PastWork;
  readonly #begun = new Map<string, boolean>();

  constructor(plan: Plan, past: PastWork) {
    this.#steps = new Map(plan.steps.map((step) => [step.id, step]));
    this.#past = past;
  }

  judge(): Continuation {
    const { open } = this.#past;
    const started = new Set([...open.keys()].filter((id) => this.#isOwn(id)));
    const done = new Set<string>();
    for (const step of this.#steps.values())
      if (!open.has(step.id) && (this.#hasReceipt(step) || this.#isPassed(step))) done.add(step.id);
    for (const id of started) {
      const subject = this.#steps.get(id)?.subject;
      for (const before of this.#before(id))
        if (before.subject === subject && before.phase !== 'preflight') done.add(before.id);
    }
    const strays = new Set([...open.keys()].filter((id) => !started.has(id)));
    return { done, started, strays };
  }

  #isOwn(id: string): boolean {
    const step = this.#steps.get(id);
    const attempt = this.#past.open.get(id);
    if (step === undefined || attempt === undefined || !this.#isSent(step, attempt)) return false;
    return this.#before(id).every((before) => this.#hasEndedWell(before));
  }

  #hasReceipt({ id, kind }: PlannedStep): boolean {
    return this.#past.natureOf(kind) === 'act' && this.#past.ended.get(id)?.outcome?.state === 'succeeded';
  }

  #isPassed(step: PlannedStep): boolean {
    const attempt = this.#past.ended.get(step.id);
    return (
      step.phase === 'preflight' && attempt?.outcome?.state === 'succeeded' && this.#isSent(step, attempt)
    );
  }

  #hasEndedWell({ id, kind }: PlannedStep): boolean {
    const attempt = this.#past.ended.get(id);
    return !this.#past.open.has(id) && attempt?.kind === kind && attempt.outcome?.state === 'succeeded';
  }

  /** Whether the attempt was sent what the step would be sent now, by facts that still stand. */
  #isSent(step: PlannedStep, attempt: AttemptRecord): boolean {
    if (attempt.kind !== step.kind || attempt.version !== step.version) return false;
    if (!this.#standsOnFacts(step)) return false;
    const input = resolveReferences(step.input, (id) => this.#past.facts.get(id));
    return canonicalJson(input) === canonicalJson(attempt.input);
  }

  /**
   * Whether the facts that an input names are those of this plan: the steps at their root (which machine is made) were
   * done just so. A machine that is made anew has new facts, and what was sent about the old one is another matter.
   */
  #standsOnFacts(step: PlannedStep): boolean {
    const known = this.#begun.get(step.id);
    if (known !== undefined) return known;
    const stands = referencedSteps(step.input).every((id) => {
      const source = this.#steps.get(id);
      const last = this.#past.ended.get(id);
      if (source === undefined || last === undefined || !this.#past.facts.has(id)) return false;
      if (referencedSteps(source.input).length > 0) return this.#standsOnFacts(source);
      return canonicalJson(source.input) === canonicalJson(last.input);
    });
    this.#begun.set(step.id, stands);
    return stands;
  }

  /** Every step that comes before this one in the plan. */
  #before(id: string): PlannedStep[] {
    const found = new Map<string, PlannedStep>();
    const open = [...(this.#steps.get(id)?.after ?? [])];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const step = this.#steps.get(next);
      if (step === undefined || found.has(next)) continue;
      found.set(next, step);
      open.push(...step.after);
    }
    return [...found.values()];
  }
}
