import { canonicalJson, type Json } from '../../provisioners/contract/json.ts';
import { machineRefSchema } from '../../provisioners/contract/machine.ts';
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
 * looked at again while it works there. Checks are not asked again about the same machines, or one that does not answer
 * would hold up all that were checked together with it (complaint 1).
 */
export function continueWith(plan: Plan, past: PastWork): Continuation {
  return new Continuing(plan, past).judge();
}

/**
 * Whether a check that was passed with one input answers for another: each machine it names was named then, in
 * whatever role, and all the rest is the same. Machines that were finished since are named no more, or as peers.
 */
function covers(passed: Json, now: Json): boolean {
  const [before, after] = [new Set<string>(), new Set<string>()];
  const isSameRest =
    canonicalJson(withoutMachines(passed, before)) === canonicalJson(withoutMachines(now, after));
  return isSameRest && [...after].every((machine) => before.has(machine));
}

/** An input without the machines that its lists name; they are put into `named`. */
function withoutMachines(input: Json, named: Set<string>): Json {
  if (input === null || typeof input !== 'object') return input;
  const isMachine = (item: Json): boolean => machineRefSchema.safeParse(item).success;
  if (Array.isArray(input)) {
    for (const item of input) if (isMachine(item)) named.add(canonicalJson(item));
    return input.filter((item) => !isMachine(item)).map((item) => withoutMachines(item, named));
  }
  const entries = Object.entries(input as { readonly [key: string]: Json });
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutMachines(value, named)]));
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
    if (step.phase !== 'preflight' || attempt?.outcome?.state !== 'succeeded') return false;
    const input = this.#inputNow(step, attempt);
    return input !== undefined && covers(attempt.input, input);
  }

  #hasEndedWell({ id, kind }: PlannedStep): boolean {
    const attempt = this.#past.ended.get(id);
    return !this.#past.open.has(id) && attempt?.kind === kind && attempt.outcome?.state === 'succeeded';
  }

  /** Whether the attempt was sent what the step would be sent now. */
  #isSent(step: PlannedStep, attempt: AttemptRecord): boolean {
    const input = this.#inputNow(step, attempt);
    return input !== undefined && canonicalJson(input) === canonicalJson(attempt.input);
  }

  /** What the step would be sent now; undefined when it does other work than the attempt, or its facts are yet to come. */
  #inputNow(step: PlannedStep, { kind, version }: AttemptRecord): Json | undefined {
    if (kind !== step.kind || version !== step.version || !this.#standsOnFacts(step)) return undefined;
    return resolveReferences(step.input, (id) => this.#past.facts.get(id));
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
