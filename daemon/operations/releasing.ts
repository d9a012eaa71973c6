import { resolveReferences } from '../../provisioners/contract/plan.ts';
import { Problem } from '../../provisioners/contract/problem.ts';
import type { Dispatcher } from './dispatcher.ts';
import { StepGraph } from './graph.ts';
import type { AgentLink } from './link.ts';
import { planHash } from './review.ts';
import type { Planners } from './planners.ts';
import type { Recorder } from './recorder.ts';
import type { OperationRun } from './run.ts';

/**
 * How long an operation that ends may take to give back what it holds, milliseconds. A cluster that cannot be reached
 * must not keep anybody from ending it; what stays is released by the next plan.
 */
const patience = 60_000;

/** What releasing needs. */
export interface ReleasingParts {
  readonly recorder: Recorder;
  readonly planners: Planners;
  readonly links: (site: string) => AgentLink;
}

/** Gives back what an operation holds before it ends without success: its cordons (DESIGN §5). */
export class Releasing {
  readonly #parts: ReleasingParts;
  readonly #dispatcher: Dispatcher;

  constructor(parts: ReleasingParts, dispatcher: Dispatcher) {
    this.#parts = parts;
    this.#dispatcher = dispatcher;
  }

  /** Writes down what is to be given back; `onOver` is called when that takes too long. */
  async begin(run: OperationRun, onOver: () => void): Promise<void> {
    const { recorder, planners } = this.#parts;
    const known = { ...run.plan, steps: run.plan.steps.map((step) => this.#resolved(run, step)) };
    const added = planners.releaseSteps({ plan: known, facts: run.facts });
    run.release = new StepGraph(added);
    if (added.length === 0) return;
    const number = run.planNumber + 1;
    // A process before this one may have begun to give back just these.
    const before = run.plan.steps.filter(({ id }) => run.release?.step(id) === undefined);
    const plan = { ...run.plan, steps: [...before, ...added] };
    const { state } = recorder;
    run.isAdopting = true;
    try {
      await recorder.commit((note, at) => {
        state.plans.add({ operation: run.id, number, hash: planHash(plan), plan, at });
        for (const [position, { id }] of before.entries())
          state.steps.carry(run.id, number, { id, position });
        for (const [index, { id }] of added.entries())
          state.steps.plan(run.id, number, { id, position: before.length + index, state: 'planned' });
        state.operations.setPlanNumber(run.id, number);
        const about = { cluster: run.cluster, operation: run.id };
        note({ type: 'operation.releasing', ...about, data: { nodes: added.map(({ subject }) => subject) } });
      });
    } finally {
      run.isAdopting = false;
    }
    run.plan = plan;
    run.planNumber = number;
    recorder.clock.after(patience, onOver);
  }

  /** Starts what is to be started; answers whether something is still to come. */
  goOn(run: OperationRun): boolean {
    const { release } = run;
    if (release === undefined || run.isReleaseOver || !this.#parts.links(run.site).isConnected) return false;
    for (const step of release.ready()) {
      release.start(step.id);
      // Not being able to ask is no reason not to end.
      this.#dispatcher.start(run, step).catch((error: unknown) => {
        if (!(error instanceof Problem)) throwLater(error);
        release.end(step.id, false);
      });
    }
    return run.isBusy;
  }

  /** Cordons name their access by facts, which are known by now. */
  #resolved(run: OperationRun, step: OperationRun['plan']['steps'][number]): typeof step {
    return run.facts.has(step.id)
      ? { ...step, input: resolveReferences(step.input, (id) => run.facts.get(id)) }
      : step;
  }
}

/** What is no problem of the cluster ends the process: the next one goes on from the journal. */
function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
