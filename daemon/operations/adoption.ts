import type { Plan } from '../../provisioners/contract/plan.ts';
import { agree, approvalsFor, ask, type Question } from './agreement.ts';
import { type Continuation, continueWith } from './continuation.ts';
import { StepGraph } from './graph.ts';
import { pastWork, recordPlan } from './plan-record.ts';
import type { Planners } from './planners.ts';
import { isOfTime } from './hold.ts';
import type { Recorder } from './recorder.ts';
import { changesBetween } from './review.ts';
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
    const question = this.#questionOf(run, plan);
    if (question !== undefined && run.isBusy) return 'quieting';
    const goesOn = this.#continue(run, plan);
    // Made first, so that a plan that cannot be run is never written down.
    const graph = new StepGraph(plan.steps, goesOn.done, goesOn.started);
    for (const [step, stray] of this.#straysOf(run, plan, goesOn)) run.strays.set(step, stray);
    run.isAdopting = true;
    let isAsking: boolean;
    try {
      isAsking = await this.#write(run, plan, goesOn, question);
    } finally {
      run.isAdopting = false;
    }
    run.planNumber += 1;
    run.plan = plan;
    run.cleared.clear();
    // The journal says that it runs; whether it is held is for the steps of this plan to say.
    if (isOfTime(run.pause)) run.pause = undefined;
    if (isAsking) return 'asking';
    run.graph = graph;
    // Given up while it was written (the agent was replaced): it is planned again before anything starts.
    for (const step of goesOn.started) if (!run.open.has(step)) run.wantsReplan = true;
    return 'in-force';
  }

  /**
   * What somebody must agree to before the plan is in force: machines that are destroyed without anybody's word; and
   * where more than one must agree, all of it as long as they have not, and again when it changed before it began.
   */
  #questionOf(run: OperationRun, plan: Plan): Question | undefined {
    const { state } = this.#recorder;
    const { uid } = run.subject.cluster;
    const newest = state.revisions.newest(uid);
    const documents = [
      run.subject.desired,
      ...(newest === undefined ? [] : [this.#planners.readCluster(newest.document)]),
    ];
    const { observed } = state.clusters.get(uid) ?? {};
    // What nobody has looked at yet may be anything.
    const asked = approvalsFor(plan, observed ?? {}, documents);
    // A delete was confirmed for the whole cluster, whatever of it turns up later.
    const names = run.kind === 'delete' ? [] : plan.destroys.filter((name) => !run.approved.has(name));
    const mayNotChange = run.kind !== 'delete' && run.isAgreed && asked > 1;
    const changes =
      mayNotChange && state.attempts.list(run.id).length === 0 ? changesBetween(run.plan, plan) : [];
    const isOpen = !run.isAgreed && asked > 1;
    if (names.length === 0 && changes.length === 0 && !isOpen) return undefined;
    const needed = Math.max(asked, run.approvalsNeeded);
    const about = { operation: run.id, cluster: run.cluster, number: run.planNumber + 1 };
    return { ...about, plan, needed, names: isOpen ? plan.destroys : names, changes };
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
    question: Question | undefined,
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
      if (question === undefined || state.operations.get(run.id)?.isCancelRequested === true) {
        state.operations.setState(run.id, 'running', { at });
        return false;
      }
      // The same plan, looked at again: who agreed to it has agreed.
      if (changesBetween(run.plan, plan).length === 0)
        for (const given of state.approvals.list(run.id, run.planNumber)) agree(state, question, given);
      ask(state, question, note, at);
      return true;
    });
  }
}
