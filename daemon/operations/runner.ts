import type { Outcome } from '../../appliance/agent/protocol/dispatch.ts';
import type { PlannedStep } from '../../provisioners/contract/plan.ts';
import { type ProblemReport, reportOf } from '../../provisioners/contract/problem.ts';
import type { OperationRecord } from '../state/operations.ts';
import type { OperationLogs } from '../state/logs.ts';
import { Adoption } from './adoption.ts';
import { Dispatcher } from './dispatcher.ts';
import { type Ending, Endings } from './endings.ts';
import type { StepGraph } from './graph.ts';
import type { AgentLink } from './link.ts';
import { Maintenance } from './maintenance.ts';
import { isOfTime } from './hold.ts';
import { holdChange, pauseChange } from './pauses.ts';
import type { Planners } from './planners.ts';
import { loadRun } from './plan-record.ts';
import { checkPremises } from './premises.ts';
import type { Recorder } from './recorder.ts';
import type { ReportReader } from './reports.ts';
import { locateProblem } from './location.ts';
import type { EngineCounters } from './counters.ts';
import type { OperationRun } from './run.ts';
import { Releasing } from './releasing.ts';
import { Replanner } from './replanning.ts';

/** What a runner is made of. */
export interface RunnerParts {
  readonly recorder: Recorder;
  readonly planners: Planners;
  readonly links: (site: string) => AgentLink;
  readonly logs: OperationLogs;
  readonly counters: EngineCounters;
  readonly ids: () => string;
  readonly recoveryRecipient?: string;
}

/** Steps of one operation that may be under way at once: more than any agent's own limit of machines at work. */
const mostOpen = 200;

/** How often open attempts are attended to, milliseconds. */
const attendEvery = 1000;

/**
 * Runs operations: starts what the graph allows, journals intent before effect and outcome before what depends on it.
 * After a restart, a resume, or when a premise no longer holds, it plans again at once on what is there now; attempts
 * that are under way go on meanwhile, as steps of the new plan where it wants them (complaint 1).
 */
export class Runner implements ReportReader {
  readonly #parts: RunnerParts;
  readonly #dispatcher: Dispatcher;
  readonly #replanner: Replanner;
  readonly #adoption: Adoption;
  readonly #endings: Endings;
  readonly #releasing: Releasing;
  readonly #maintenance: Maintenance;
  readonly #runs = new Map<string, OperationRun>();
  #cancelAttend: (() => void) | undefined;
  #isStopped = false;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    this.#dispatcher = new Dispatcher(parts.recorder, parts.links, parts.counters);
    this.#replanner = new Replanner(parts, () => this.#isStopped);
    this.#adoption = new Adoption(parts.recorder, parts.planners);
    this.#endings = new Endings(parts);
    this.#releasing = new Releasing(parts, this.#dispatcher);
    this.#maintenance = new Maintenance(parts.recorder, parts.planners);
    parts.recorder.state.journal.onSpace(() => {
      for (const run of this.#runs.values()) this.pump(run);
    });
  }

  /** Takes up everything that was not over when the last process ended. */
  start(): void {
    for (const record of this.#parts.recorder.state.operations.listUnfinished())
      if (
        record.state !== 'waiting' ||
        (record.waitingFor !== 'approval' && record.waitingFor !== 'operation')
      )
        this.#takeUpOrFail(record);
    const released = this.#endings.releaseQueued().then((records) => {
      if (!this.#isStopped) for (const record of records) this.takeUp(record, 'plan-again');
    });
    this.#inBackground(released);
    this.#attendLater();
  }

  #takeUpOrFail(record: OperationRecord): void {
    try {
      this.takeUp(record, 'plan-again');
    } catch (error) {
      this.#inBackground(this.#endings.endUnreadable(record, error));
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
   * observation of this moment; `plan-again` plans on a new observation, and goes on with what is under way; `resume`
   * does the same for one that had stopped, whose old problem no longer counts.
   */
  takeUp(record: OperationRecord, how: 'fresh' | 'plan-again' | 'resume'): void {
    const run = loadRun(this.#parts.recorder.state, this.#parts.planners, record);
    this.#runs.set(run.id, run);
    if (how !== 'plan-again') this.#parts.counters.operationsStarted += 1;
    if (how === 'resume') run.problem = undefined;
    if (how === 'fresh') run.graph = this.#adoption.graphOf(run);
    else run.wantsReplan = true;
    this.#dispatcher.sendAll(run);
    this.pump(run);
  }

  /** Takes up operations that are to run by the journal and are not held here: their turn has come. */
  takeUpIdle(): void {
    for (const record of this.#parts.recorder.state.operations.listUnfinished())
      if (record.state === 'running' && !this.#runs.has(record.id)) this.takeUp(record, 'plan-again');
  }

  /** The request is durable already; waits end at once, running applies finish. */
  cancel(run: OperationRun): void {
    run.isCancelRequested = true;
    this.#dispatcher.cancelUnwanted(run);
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
      run.strays.clear();
      run.wantsReplan = true;
      this.pump(run);
    }
  }

  ended(operation: string, step: string, outcome: Outcome): void {
    const run = this.#runs.get(operation);
    if (run === undefined) return;
    if (run.isAdopting) {
      run.endedMeanwhile.push({ step, outcome });
      return;
    }
    this.#takeEnd(run, step, outcome);
    this.pump(run);
  }

  #takeEnd(run: OperationRun, step: string, outcome: Outcome): void {
    const { counters } = this.#parts;
    if (outcome.state === 'succeeded') counters.stepsSucceeded += 1;
    else counters.stepsFailed += 1;
    if (outcome.state === 'succeeded' && !outcome.changed) counters.stepsUnchanged += 1;
    run.takeEnd(step, outcome);
  }

  locate(run: OperationRun, problem: ProblemReport): ProblemReport {
    return locateProblem(this.#parts.recorder.state, this.#parts.planners, run.subject.cluster.uid, problem);
  }

  /** Moves an operation on as far as it goes now. Called after everything that may have changed its case. */
  pump(run: OperationRun): void {
    if (this.#isStopped || run.isSettling || run.isAdopting) return;
    // An end needs neither agent nor space for new work.
    if (run.isEnding && !run.isBusy) return this.#settle(run);
    if (this.#mustPause(run) || run.isEnding || run.isPlanning) return;
    if (run.graph === undefined || run.wantsReplan) return this.#replanWhenPossible(run);
    const { graph } = run;
    if (graph.isComplete && !run.isBusy)
      return run.plan.isPartial === true ? this.#replanWhenPossible(run) : this.#settle(run);
    const unchecked: PlannedStep[] = [];
    const room = mostOpen - run.open.size - run.starting.size;
    const { steps, hold } = this.#maintenance.ready(run, graph, room);
    for (const step of steps) {
      if (step.destructive && !run.cleared.delete(step.id)) unchecked.push(step);
      else this.#startStep(run, graph, step);
    }
    if (unchecked.length > 0 && !run.isChecking) {
      const checked = checkPremises(run, unchecked, this.#replanner, (error) => this.#problemOf(run, error));
      this.#inBackground(checked.then(() => this.pump(run)));
    }
    const isIdle = !run.isBusy && !run.isChecking;
    this.#inBackground(holdChange(this.#parts.recorder, run, isIdle ? hold : undefined) ?? Promise.resolve());
  }

  #problemOf = (run: OperationRun, error: unknown): ProblemReport =>
    this.locate(run, reportOf(error, this.#parts.ids()));

  /** Ends the process when the journal cannot be written: the next start goes on from what is durable. */
  #inBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (this.#isStopped) return;
      queueMicrotask(() => {
        throw error;
      });
    });
  }

  #startStep(run: OperationRun, graph: StepGraph, step: PlannedStep): void {
    graph.start(step.id);
    const begun = this.#dispatcher.start(run, step).then(
      () => {
        // Asked for while the intent was being written down: an end or another plan.
        this.#dispatcher.cancelUnwanted(run);
        if (run.wantsReplan || run.isEnding) this.pump(run);
      },
      (error: unknown) => this.#failStart(run, graph, step, error),
    );
    this.#inBackground(begun);
  }

  async #failStart(run: OperationRun, graph: StepGraph, step: PlannedStep, error: unknown): Promise<void> {
    if (this.#isStopped) return;
    const { recorder } = this.#parts;
    const problem = this.#problemOf(run, error);
    graph.end(step.id, false);
    run.problem ??= problem;
    await recorder.commit((note, at) => {
      recorder.state.steps.end(run.id, step.id, { state: 'failed', at, problem });
      const about = { cluster: run.cluster, operation: run.id, step: step.id };
      note({ type: 'step.ended', ...about, data: { state: 'failed' } });
    });
    this.pump(run);
  }

  /** Plans again now, unless something that is on its way to the journal or being looked at would be passed over. */
  #replanWhenPossible(run: OperationRun): void {
    if (run.starting.size > 0 || run.isChecking || (run.isQuieting && run.isBusy)) return;
    run.isQuieting = false;
    this.#inBackground(this.#replan(run));
  }

  async #replan(run: OperationRun): Promise<void> {
    run.isPlanning = true;
    // Whatever asks for another plan from here on asks for one more.
    run.wantsReplan = false;
    try {
      const plan = await this.#replanner.planAgain(run);
      if (plan !== undefined && !run.isEnding) await this.#adopt(run, plan);
    } catch (error) {
      if (this.#isStopped) return;
      run.problem ??= this.#problemOf(run, error);
    } finally {
      run.isPlanning = false;
      for (const { step, outcome } of run.endedMeanwhile.splice(0)) this.#takeEnd(run, step, outcome);
      this.pump(run);
    }
  }

  async #adopt(run: OperationRun, plan: Parameters<Adoption['adopt']>[1]): Promise<void> {
    const adopted = await this.#adoption.adopt(run, plan);
    if (adopted === 'asking') {
      run.isSettling = true;
      this.#runs.delete(run.id);
      return;
    }
    if (adopted === 'quieting') {
      run.isQuieting = true;
      run.wantsReplan = true;
    }
    this.#dispatcher.cancelUnwanted(run);
  }

  /** Nothing is under way any more, and nothing more is to be done. */
  #settle(run: OperationRun): void {
    const isComplete = run.graph?.isComplete === true && !run.isPlanning && !run.wantsReplan;
    if (isComplete && run.problem === undefined) return this.#inBackground(this.#finish(run, 'succeeded'));
    if (run.release === undefined) {
      const over = (): void => {
        run.isReleaseOver = true;
        this.#dispatcher.cancelUnwanted(run);
        this.pump(run);
      };
      return this.#inBackground(this.#releasing.begin(run, over).then(() => this.pump(run)));
    }
    if (this.#releasing.goOn(run)) return;
    this.#inBackground(this.#finish(run, run.isCancelRequested ? 'cancelled' : 'failed'));
  }

  async #finish(run: OperationRun, how: Ending): Promise<void> {
    run.isSettling = true;
    const next = await this.#endings.end(run, how);
    this.#runs.delete(run.id);
    if (how === 'succeeded' && run.kind !== 'delete' && run.kind !== 'eject') this.#replanner.lookAfter(run);
    if (next !== undefined && !this.#isStopped && !this.#runs.has(next.id)) this.takeUp(next, 'plan-again');
  }

  #mustPause(run: OperationRun): boolean {
    const change = pauseChange(this.#parts.recorder, this.#parts.links(run.site), run);
    if (change !== undefined) this.#inBackground(change);
    return run.pause !== undefined && !isOfTime(run.pause);
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
