import type { Outcome } from '../../appliance/agent/protocol.ts';
import type { Plan, PlannedStep } from '../../provisioners/contract/plan.ts';
import { type ProblemReport, reportOf } from '../../provisioners/contract/problem.ts';
import type { OperationRecord } from '../state/operations.ts';
import type { OperationLogs } from '../state/logs.ts';
import { Dispatcher } from './dispatcher.ts';
import { StepGraph } from './graph.ts';
import type { AgentLink } from './link.ts';
import { pauseChange } from './pauses.ts';
import type { Planners } from './planners.ts';
import { keptActs, loadRun, recordPlan } from './plan-record.ts';
import type { Recorder } from './recorder.ts';
import type { ReportReader } from './reports.ts';
import { locateProblem } from './location.ts';
import type { EngineCounters } from './requests.ts';
import { isSameStep } from './review.ts';
import type { OperationRun } from './run.ts';
import { problems } from './problems.ts';
import { Replanner } from './replanning.ts';

/** What a runner is made of. */
export interface RunnerParts {
  readonly recorder: Recorder;
  readonly planners: Planners;
  readonly links: (site: string) => AgentLink;
  readonly logs: OperationLogs;
  readonly counters: EngineCounters;
  readonly ids: () => string;
}

/** Steps of one operation that may be under way at once: more than any agent's own limit of machines at work. */
const mostOpen = 200;

/** How often a plan may be given up in a row because what it stood on had moved. */
const mostPremiseFailures = 3;

/** How often open attempts are attended to, milliseconds. */
const attendEvery = 1000;

/**
 * Runs operations: starts what the graph allows, journals intent before effect and outcome before what depends on it,
 * plans again after a restart, a resume, or when a premise no longer holds.
 */
export class Runner implements ReportReader {
  readonly #parts: RunnerParts;
  readonly #dispatcher: Dispatcher;
  readonly #replanner: Replanner;
  readonly #runs = new Map<string, OperationRun>();
  #cancelAttend: (() => void) | undefined;
  #isStopped = false;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    this.#dispatcher = new Dispatcher(parts.recorder, parts.links, parts.counters);
    this.#replanner = new Replanner(parts, () => this.#isStopped);
    parts.recorder.state.journal.onSpace(() => this.#pumpAll());
  }

  /** Takes up everything that was not over when the last process ended. */
  start(): void {
    for (const record of this.#parts.recorder.state.operations.listUnfinished())
      if (
        record.state !== 'waiting' ||
        (record.waitingFor !== 'approval' && record.waitingFor !== 'operation')
      )
        this.#takeUpOrFail(record);
    this.#startQueuedWhereFree();
    this.#attendLater();
  }

  /** Records that this release cannot read end their own operation, not the daemon. */
  #takeUpOrFail(record: OperationRecord): void {
    const { recorder, ids } = this.#parts;
    try {
      this.takeUp(record, 'plan-again');
    } catch (error) {
      const problem = reportOf(error, ids());
      const written = recorder.commit((note, at) => {
        recorder.state.operations.setState(record.id, 'failed', { at, problem });
        note({ type: 'operation.ended', operation: record.id, data: { state: 'failed' } });
      });
      this.#inBackground(written);
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelAttend?.();
  }

  find(operation: string): OperationRun | undefined {
    return this.#runs.get(operation);
  }

  /**
   * Begins to run a journalled operation: `fresh` runs the plan it was journalled with, which was made from an
   * observation of this moment; `plan-again` first attends to open attempts and then plans on a new observation;
   * `resume` does the same for one that had stopped, whose old problem no longer counts.
   */
  takeUp(record: OperationRecord, how: 'fresh' | 'plan-again' | 'resume'): void {
    const run = loadRun(this.#parts.recorder.state, this.#parts.planners, record);
    this.#runs.set(run.id, run);
    if (how !== 'plan-again') this.#parts.counters.operationsStarted += 1;
    if (how === 'resume') run.problem = undefined;
    if (how === 'fresh') run.graph = this.#graphOf(run, run.plan);
    else run.wantsReplan = true;
    this.#dispatcher.sendAll(run);
    this.pump(run);
  }

  /** The request is durable already; waits end at once, running applies finish. */
  cancel(run: OperationRun): void {
    run.isCancelRequested = true;
    this.#dispatcher.cancel(run);
    this.pump(run);
  }

  /** An agent of the site connected: it hears of every open attempt again. */
  connected(site: string): void {
    for (const run of this.#runs.values()) {
      if (run.site !== site) continue;
      this.#dispatcher.sendAll(run);
      this.pump(run);
    }
  }

  /** The site's agent was replaced and its open attempts were given up in the journal: plan on what is there. */
  replaced(site: string): void {
    for (const run of this.#runs.values()) {
      if (run.site !== site) continue;
      run.open.clear();
      run.wantsReplan = true;
      this.pump(run);
    }
  }

  ended(run: OperationRun, step: string, outcome: Outcome): void {
    run.open.delete(step);
    run.premiseFailures = 0;
    const isGood = outcome.state === 'succeeded';
    if (outcome.state === 'succeeded') {
      run.facts.set(step, outcome.facts);
      this.#parts.counters.stepsSucceeded += 1;
      if (!outcome.changed) this.#parts.counters.stepsUnchanged += 1;
    } else this.#parts.counters.stepsFailed += 1;
    if (outcome.state === 'failed') run.problem ??= outcome.problem;
    // The agent gave a step up that nobody asked it to give up (it was stopped): look again.
    if (outcome.state === 'cancelled' && !run.isCancelRequested) run.wantsReplan = true;
    run.graph?.end(step, isGood);
    this.pump(run);
  }

  locate(run: OperationRun, problem: ProblemReport): ProblemReport {
    return locateProblem(this.#parts.recorder.state, this.#parts.planners, run.subject.cluster.uid, problem);
  }

  /** Moves an operation on as far as it goes now. Called after everything that may have changed its case. */
  pump(run: OperationRun): void {
    if (this.#isStopped || run.isSettling || run.isPlanning) return;
    // An end needs neither agent nor space for new work.
    const isEnding = (run.isCancelRequested || run.problem !== undefined) && !run.isBusy && !run.isChecking;
    if (!isEnding && this.#mustPause(run)) return;
    if (run.isStopping || run.graph === undefined) return this.#settleWhenQuiet(run);
    const unchecked: PlannedStep[] = [];
    for (const step of run.graph.ready(mostOpen - run.open.size - run.starting.size)) {
      if (step.destructive && !run.cleared.delete(step.id)) unchecked.push(step);
      else this.#startStep(run, run.graph, step);
    }
    if (unchecked.length > 0 && !run.isChecking) this.#inBackground(this.#checkPremises(run, unchecked));
    if (run.graph.isComplete) this.#settleWhenQuiet(run);
  }

  /** Ends the process when the journal cannot be written: the next start goes on from what is durable. */
  #inBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (this.#isStopped) return;
      queueMicrotask(() => {
        throw error;
      });
    });
  }

  #pumpAll(): void {
    for (const run of this.#runs.values()) this.pump(run);
  }

  #startStep(run: OperationRun, graph: StepGraph, step: PlannedStep): void {
    graph.start(step.id);
    this.#dispatcher.start(run, step).catch((error: unknown) => {
      if (this.#isStopped) return;
      const problem = this.locate(run, reportOf(error, this.#parts.ids()));
      graph.end(step.id, false);
      run.problem ??= problem;
      const about = { cluster: run.cluster, operation: run.id, step: step.id };
      const written = this.#parts.recorder.commit((note, at) => {
        this.#parts.recorder.state.steps.end(run.id, step.id, { state: 'failed', at, problem });
        note({ type: 'step.ended', ...about, data: { state: 'failed' } });
      });
      this.#inBackground(written.finally(() => this.pump(run)));
    });
  }

  /** Looks afresh and plans again before anything is destroyed: the step must still be what a plan made now wants. */
  async #checkPremises(run: OperationRun, steps: readonly PlannedStep[]): Promise<void> {
    run.isChecking = true;
    try {
      const plan = await this.#replanner.planAgain(run);
      if (plan === undefined) return;
      const now = new Map(plan.steps.map((step) => [step.id, step]));
      const holds = steps.every((step) => {
        const same = now.get(step.id);
        return same !== undefined && isSameStep(same, step);
      });
      if (holds) for (const step of steps) run.cleared.add(step.id);
      else if (run.premiseFailures >= mostPremiseFailures) run.problem ??= problems.premisesMove(run.cluster);
      else {
        run.premiseFailures += 1;
        run.wantsReplan = true;
      }
    } catch (error) {
      run.problem ??= this.locate(run, reportOf(error, this.#parts.ids()));
    } finally {
      run.isChecking = false;
      this.pump(run);
    }
  }

  #settleWhenQuiet(run: OperationRun): void {
    if (run.isBusy || run.isChecking) return;
    if (run.graph?.isComplete === true && run.problem === undefined && !run.wantsReplan)
      return this.#inBackground(this.#finish(run, 'succeeded'));
    if (run.isCancelRequested) return this.#inBackground(this.#finish(run, 'cancelled'));
    if (run.problem !== undefined) return this.#inBackground(this.#finish(run, 'failed'));
    this.#inBackground(this.#replan(run));
  }

  async #replan(run: OperationRun): Promise<void> {
    run.isPlanning = true;
    try {
      const plan = await this.#replanner.planAgain(run);
      if (plan !== undefined) await this.#adopt(run, plan);
    } catch (error) {
      if (this.#isStopped) return;
      run.problem = this.locate(run, reportOf(error, this.#parts.ids()));
    } finally {
      run.isPlanning = false;
      this.pump(run);
    }
  }

  /** Makes a plan the operation's next one, or asks when it destroys what nobody agreed to. */
  async #adopt(run: OperationRun, plan: Plan): Promise<void> {
    const { recorder, planners } = this.#parts;
    // A delete was confirmed for the whole cluster, whatever of it turns up later.
    const toApprove = run.kind === 'delete' ? [] : plan.destroys.filter((name) => !run.approved.has(name));
    const number = run.planNumber + 1;
    // Made first, so that a plan that cannot be run is never written down.
    const graph = this.#graphOf(run, plan);
    await recorder.commit((note, at) => {
      recordPlan(recorder.state, planners, run.id, number, plan, at);
      recorder.state.operations.setPlanNumber(run.id, number);
      const about = { cluster: run.cluster, operation: run.id };
      note({ type: 'operation.planned', ...about, data: { plan: number, steps: plan.steps.length } });
      if (toApprove.length === 0) return recorder.state.operations.setState(run.id, 'running', { at });
      const problem = problems.needsApproval(run.cluster, run.id, toApprove);
      recorder.state.operations.setState(run.id, 'waiting', { at, waitingFor: 'approval', problem });
      note({ type: 'operation.waiting', ...about, data: { for: 'approval', toApprove } });
    });
    run.planNumber = number;
    run.plan = plan;
    run.wantsReplan = false;
    run.cleared.clear();
    if (toApprove.length > 0) {
      run.isSettling = true;
      this.#runs.delete(run.id);
    } else run.graph = graph;
  }

  #graphOf(run: OperationRun, plan: Plan): StepGraph {
    const { recorder, planners } = this.#parts;
    return new StepGraph(plan.steps, keptActs(recorder.state, planners, run.id, plan));
  }

  async #finish(run: OperationRun, end: 'succeeded' | 'failed' | 'cancelled'): Promise<void> {
    run.isSettling = true;
    const { recorder, logs, counters } = this.#parts;
    const { state } = recorder;
    const problem = end === 'succeeded' ? undefined : run.problem;
    const next = await recorder.commit((note, at) => {
      state.operations.setState(run.id, end, { at, ...(problem === undefined ? {} : { problem }) });
      const about = { cluster: run.cluster, operation: run.id };
      const shown =
        problem === undefined ? {} : { problem: { code: problem.code, summary: problem.summary } };
      note({ type: 'operation.ended', ...about, data: { state: end, ...shown } });
      if (run.kind === 'delete' && end === 'succeeded') {
        state.clusters.setDeleted(run.subject.cluster.uid, at);
        note({ type: 'cluster.deleted', cluster: run.cluster, data: {} });
      }
      const queued = state.operations.queued(run.subject.cluster.uid);
      if (queued === undefined) return undefined;
      if (end !== 'succeeded') state.operations.setSuperseded(run.id, queued.id);
      state.operations.setState(queued.id, 'running', { at });
      return queued;
    });
    this.#runs.delete(run.id);
    logs.close(run.id);
    if (end === 'succeeded') counters.operationsSucceeded += 1;
    if (end === 'failed') counters.operationsFailed += 1;
    if (end === 'succeeded' && run.kind !== 'delete') this.#replanner.lookAfter(run);
    if (next !== undefined && !this.#isStopped) this.takeUp(next, 'plan-again');
  }

  /** Takes up operations that are to run by the journal and are not held here: their turn has come. */
  takeUpIdle(): void {
    for (const record of this.#parts.recorder.state.operations.listUnfinished())
      if (record.state === 'running' && !this.#runs.has(record.id)) this.takeUp(record, 'plan-again');
  }

  /** Queued operations whose forerunner ended in the last moment of the process before. */
  #startQueuedWhereFree(): void {
    const { recorder } = this.#parts;
    const unfinished = recorder.state.operations.listUnfinished();
    for (const record of unfinished) {
      if (record.waitingFor !== 'operation') continue;
      if (unfinished.some((other) => other.cluster === record.cluster && other.waitingFor !== 'operation'))
        continue;
      const written = recorder.commit((_note, at) =>
        recorder.state.operations.setState(record.id, 'running', { at }),
      );
      this.#inBackground(written.then(() => this.takeUp(record, 'plan-again')));
    }
  }

  #mustPause(run: OperationRun): boolean {
    const change = pauseChange(this.#parts.recorder, this.#parts.links(run.site), run);
    if (change !== undefined) this.#inBackground(change);
    return run.pause !== undefined;
  }

  #attendLater(): void {
    this.#cancelAttend = this.#parts.recorder.clock.after(attendEvery, () => {
      for (const run of this.#runs.values()) {
        this.#dispatcher.attend(run);
        this.pump(run);
      }
      if (!this.#isStopped) this.#attendLater();
    });
  }
}
