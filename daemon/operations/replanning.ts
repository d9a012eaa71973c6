import type { Observed } from '../../provisioners/contract/observed.ts';
import type { Plan } from '../../provisioners/contract/plan.ts';
import { Problem, type ProblemReport } from '../../provisioners/contract/problem.ts';
import type { AgentLink } from './link.ts';
import { observeThrough, pastOf, type Subject } from './observation.ts';
import type { Planners } from './planners.ts';
import type { Recorder } from './recorder.ts';
import type { EngineCounters } from './counters.ts';
import { planOn, type PlanningParts, revisionOf } from './planning.ts';
import type { OperationRun } from './run.ts';

/** How long to wait before looking again after looking failed, milliseconds; a single agent is asked, so no jitter. */
const firstPause = 500;
const longestPause = 15_000;

/** How often looking may fail with a connected agent before the operation stops, resumable: some two minutes. */
const mostFailures = 12;

/** Whether an operation makes a cluster what its document says: a restore does so once the data serves. */
const isOfDocument = ({ kind, plan: { intent } }: OperationRun): boolean =>
  kind === 'create' || kind === 'update' || (intent?.kind === 'restore' && intent.isServing === true);

/** What hooks were told goes along from plan to plan. */
const hooksOf = ({ plan: { hooksFor } }: OperationRun): Pick<Plan, 'hooksFor'> =>
  hooksFor === undefined ? {} : { hooksFor };

/** Looks afresh and plans again with the same planner. */
export class Replanner {
  readonly #recorder: Recorder;
  readonly #planners: Planners;
  readonly #planning: PlanningParts;
  readonly #links: (site: string) => AgentLink;
  readonly #counters: EngineCounters;
  readonly #isStopped: () => boolean;

  constructor(
    parts: {
      readonly recorder: Recorder;
      readonly planners: Planners;
      readonly links: (site: string) => AgentLink;
      readonly counters: EngineCounters;
      readonly recoveryRecipient?: string;
    },
    isStopped: () => boolean,
  ) {
    this.#recorder = parts.recorder;
    this.#planners = parts.planners;
    this.#planning = { ...parts, state: parts.recorder.state };
    this.#links = parts.links;
    this.#counters = parts.counters;
    this.#isStopped = isStopped;
  }

  /**
   * A plan on what is there now; undefined when the operation began to end (or the engine stopped) meanwhile. While
   * attempts are under way it goes on looking: they may be what brings the cluster back into sight.
   * @throws Problem when the agent cannot see, or the planner cannot plan on what is seen
   */
  async planAgain(run: OperationRun): Promise<Plan | undefined> {
    const link = this.#links(run.site);
    let seen: Observed | undefined;
    for (let failures = 0; !this.#isOver(run); ) {
      try {
        if (link.isConnected)
          return await this.#planOnce(run, link, (observed) => {
            seen = observed;
          });
      } catch (error) {
        // An API server or a provider may be silent for a moment, above all after a power cut.
        const mayPass = error instanceof Problem && ['transient', 'blocked'].includes(error.report.kind);
        failures += link.isConnected ? 1 : 0;
        if (this.#isOver(run)) return undefined;
        if (!mayPass || (failures >= mostFailures && !run.isBusy)) return this.#revival(run, seen, error);
        if (failures === 1) await this.#say(run, error.report);
      }
      await this.#pause(Math.min(firstPause * 2 ** failures, longestPause));
    }
    return undefined;
  }

  #isOver(run: OperationRun): boolean {
    return run.isEnding || run.isSettling || this.#isStopped();
  }

  async #planOnce(
    run: OperationRun,
    link: AgentLink,
    onSeen: (observed: Observed) => void,
  ): Promise<Plan | undefined> {
    const observed = await observeThrough(link, this.#recorder.state, run.subject);
    if (this.#isOver(run)) return undefined;
    await this.#keep(run.subject, observed);
    onSeen(observed);
    this.#counters.plansMade += 1;
    const { desired, provider, cluster } = run.subject;
    const revision = revisionOf(run.subject);
    if (run.kind === 'delete') {
      const volumes = run.volumes === undefined ? {} : { volumes: run.volumes };
      const seen = { observed, revision, earlier: run.plan, ...pastOf(this.#recorder.state, cluster.uid) };
      return this.#planners.planDeletion({ cluster, desired, provider, ...seen, ...volumes });
    }
    const { state } = this.#recorder;
    const keys = state.clusters.get(cluster.uid)?.keys.public;
    if (keys === undefined) throw new Error(`cluster ${cluster.uid} has no record`);
    const { intent } = run.plan;
    const asked = { subject: run.subject, observed, keys, bypass: run.bypass, ...hooksOf(run) };
    return planOn(this.#planning, intent === undefined ? asked : { ...asked, intent });
  }

  /** Nothing can be planned for what is not seen, but for what may have silenced it. @throws what was thrown before */
  #revival(run: OperationRun, observed: Observed | undefined, error: unknown): Plan {
    const { state } = this.#recorder;
    const { desired, provider, cluster } = run.subject;
    const isSilent = error instanceof Problem && error.report.kind === 'blocked';
    if (!isSilent || observed === undefined || !isOfDocument(run)) throw error;
    const plan = this.#planners.planRevival({
      desired,
      provider,
      observed,
      revision: revisionOf(run.subject),
      unfinished: (kind) => state.attempts.unfinished(cluster.uid, kind),
    });
    if (plan === undefined) throw error;
    const { kind, intent } = run.plan;
    return { ...plan, ...hooksOf(run), ...(intent === undefined ? {} : { kind, intent }) };
  }

  /** Keeps what a cluster looks like after an operation. A failure costs nothing: the next look tries again. */
  lookAfter(run: OperationRun): void {
    observeThrough(this.#links(run.site), this.#recorder.state, run.subject)
      .then((observed) => (this.#isStopped() ? undefined : this.#keep(run.subject, observed)))
      .catch(() => undefined);
  }

  /** Says why it cannot be planned yet (complaint 1). */
  #say(run: OperationRun, problem: ProblemReport): Promise<void> {
    const { operations } = this.#recorder.state;
    return this.#recorder.commit((note, at) => {
      operations.setState(run.id, 'running', { at, problem });
      const data = { code: problem.code, summary: problem.summary };
      note({ type: 'operation.looking', cluster: run.cluster, operation: run.id, data });
    });
  }

  #keep(subject: Subject, observed: Observed): Promise<void> {
    const { state } = this.#recorder;
    return this.#recorder.commit(() => state.clusters.setObserved(subject.cluster.uid, observed));
  }

  #pause(delay: number): Promise<void> {
    return new Promise((resolve) => {
      this.#recorder.clock.after(delay, resolve);
    });
  }
}
