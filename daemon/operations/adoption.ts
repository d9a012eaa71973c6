import type { Plan } from '../../provisioners/contract/plan.ts';
import { type Continuation, continueWith } from './continuation.ts';
import { StepGraph } from './graph.ts';
import { pastWork, recordPlan } from './plan-record.ts';
import type { Planners } from './planners.ts';
import { problems } from './problems.ts';
import type { Recorder } from './recorder.ts';
import type { OperationRun, Stray } from './run.ts';

/** What became of a new plan. */
export type Adopted =
  /** It is in force. */
  | 'in-force'
  /** It destroys what nobody agreed to: what is under way is let end first, then it is planned again and asked. */
  | 'quieting'
  /** It is written down and waits for a person's word; the operation is not run until then. */
  | 'asking';

/** Makes new plans an operation's own: writes them down, and goes on with what is under way. */
export class Adoption {
  readonly #recorder: Recorder;
  readonly #planners: Planners;

  constructor(recorder: Recorder, planners: Planners) {
    this.#recorder = recorder;
    this.#planners = planners;
  }

  /** The graph of a plan that is written down already and was made just now. */
  graphOf(run: OperationRun): StepGraph {
    const past = pastWork(this.#recorder.state, this.#planners, run.id);
    return new StepGraph(run.plan.steps, continueWith(run.plan, past).done);
  }

  /**
   * Makes a plan the operation's next one, or asks when it destroys what nobody agreed to. Steps must not begin
   * meanwhile; ends are to be kept in `run.endedMeanwhile`.
   * @throws Error when the plan cannot be run: it is not written down then
   */
  async adopt(run: OperationRun, plan: Plan): Promise<Adopted> {
    // A delete was confirmed for the whole cluster, whatever of it turns up later.
    const toApprove = run.kind === 'delete' ? [] : plan.destroys.filter((name) => !run.approved.has(name));
    if (toApprove.length > 0 && run.isBusy) return 'quieting';
    const goesOn = this.#continue(run, plan);
    // Made first, so that a plan that cannot be run is never written down.
    const graph = new StepGraph(plan.steps, goesOn.done, goesOn.started);
    for (const [step, stray] of this.#straysOf(run, plan, goesOn)) run.strays.set(step, stray);
    run.isAdopting = true;
    let isAsking: boolean;
    try {
      isAsking = await this.#write(run, plan, goesOn, toApprove);
    } finally {
      run.isAdopting = false;
    }
    run.planNumber += 1;
    run.plan = plan;
    run.cleared.clear();
    if (isAsking) return 'asking';
    run.graph = graph;
    // Given up while it was written (the agent was replaced): it is planned again before anything starts.
    for (const step of goesOn.started) if (!run.open.has(step)) run.wantsReplan = true;
    return 'in-force';
  }

  /** What is open is what this process holds as open: an end that it has not heard of yet is still to come. */
  #continue(run: OperationRun, plan: Plan): Continuation {
    const { ended, ...past } = pastWork(this.#recorder.state, this.#planners, run.id);
    const open = new Map([...run.open].map(([step, { record }]) => [step, record]));
    return continueWith(plan, {
      ...past,
      open,
      ended: new Map([...ended].filter(([step, { key }]) => open.get(step)?.key.attempt !== key.attempt)),
    });
  }

  #straysOf(run: OperationRun, plan: Plan, { strays }: Continuation): Map<string, Stray> {
    run.strays.clear();
    const wanted = new Set(plan.steps.map(({ id }) => id));
    return new Map(
      [...strays].map((step) => [step, { ...this.#plannedAs(run, step), isWanted: wanted.has(step) }]),
    );
  }

  /** The step of an open attempt, from the newest plan that named it. */
  #plannedAs(run: OperationRun, id: string): Omit<Stray, 'isWanted'> {
    const { plans, steps } = this.#recorder.state;
    const number = steps.get(run.id, id)?.planNumber ?? run.planNumber;
    const step = plans.get(run.id, number)?.plan.steps.find((candidate) => candidate.id === id);
    if (step === undefined) throw new Error(`the attempt at ${id} belongs to no plan of operation ${run.id}`);
    return { subject: step.subject, destructive: step.destructive };
  }

  /** Answers whether a person is asked now; nobody is about an operation that was cancelled meanwhile. */
  #write(
    run: OperationRun,
    plan: Plan,
    goesOn: Continuation,
    toApprove: readonly string[],
  ): Promise<boolean> {
    const { state } = this.#recorder;
    const number = run.planNumber + 1;
    return this.#recorder.commit((note, at) => {
      recordPlan(state, run.id, number, plan, goesOn, at);
      state.operations.setPlanNumber(run.id, number);
      const about = { cluster: run.cluster, operation: run.id };
      const { started, strays } = goesOn;
      const data = { plan: number, steps: plan.steps.length, goOn: started.size, letEnd: strays.size };
      note({ type: 'operation.planned', ...about, data });
      if (toApprove.length === 0 || state.operations.get(run.id)?.isCancelRequested === true) {
        state.operations.setState(run.id, 'running', { at });
        return false;
      }
      const problem = problems.needsApproval(run.cluster, run.id, toApprove);
      state.operations.setState(run.id, 'waiting', { at, waitingFor: 'approval', problem });
      note({ type: 'operation.waiting', ...about, data: { for: 'approval', toApprove } });
      return true;
    });
  }
}
