import type { Observed } from '../../provisioners/contract/observed.ts';
import type { Plan } from '../../provisioners/contract/plan.ts';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { DrawnKeys } from '../state/clusters.ts';
import type { Admission } from './admission.ts';
import { approvalsFor } from './agreement.ts';
import type { OperationView, PlanAnswer } from './answers.ts';
import { requireAgent } from './asking.ts';
import { checkGraph } from './graph.ts';
import type { AgentLink } from './link.ts';
import type { Subject } from './observation.ts';
import { subjectOf } from './plan-record.ts';
import type { Planners } from './planners.ts';
import { planOn } from './planning.ts';
import { type Judgement, type Policies, refuse } from './policies.ts';
import { asRefusal, lookAndKeep } from './preparation.ts';
import { problems } from './problems.ts';
import type { Recorder } from './recorder.ts';
import { type IntentRequest, Refusal } from './requests.ts';
import { changesBetween, digestOfRequest, needsConfirmation, planHash } from './review.ts';
import type { Turns } from './turns.ts';
import { viewOperation } from './views.ts';

/** What carrying out intents needs. */
export interface DayTwoParts {
  readonly recorder: Recorder;
  readonly planners: Planners;
  readonly links: (site: string) => AgentLink;
  readonly admission: Admission;
  readonly ids: () => string;
  readonly policies: Policies;
  readonly recoveryRecipient?: string;
  /** Requests about the same cluster go one after another. */
  readonly turns: Turns;
  /** @throws Refusal while there is no space for new work */
  readonly refuseWhenShort: () => void;
}

/** What the API asks of it. */
export type DayTwoDoors = Pick<DayTwo, 'plan' | 'start'>;

/** What became of a request: the operation, or nothing because there was nothing to do. */
export interface IntentAnswer {
  readonly operation?: OperationView;
}

/** Makes the keys that a cluster has from the beginning of an operation on. @throws Refusal when it must not begin */
export type KeysFor = (subject: Subject, plan: Plan) => Promise<DrawnKeys>;

interface PreparedIntent {
  readonly subject: Subject;
  readonly observed: Observed;
  readonly plan: Plan;
  readonly hash: string;
  /** Number of the cluster's newest revision. */
  readonly revision: number;
  /** What policies have against the cluster without refusing it. */
  readonly warnings: Judgement['warnings'];
}

/** Looks for what holds an intent just now that can be planned all the same: who would be left behind by it. */
export type ObstaclesTo = (subject: Subject, plan: Plan) => Promise<readonly ProblemReport[]>;

/**
 * What is wanted once of a cluster that is there, and stands in no document: each is planned, reviewed, confirmed,
 * admitted and run like every other operation.
 */
export class DayTwo {
  readonly #parts: DayTwoParts;

  constructor(parts: DayTwoParts) {
    this.#parts = parts;
  }

  /** What it would do, from a fresh look, and what holds it, as `obstaclesTo` finds it. Starts nothing. */
  plan(request: IntentRequest, obstaclesTo?: ObstaclesTo): Promise<PlanAnswer> {
    return this.#parts.turns.take([request.cluster], async () => {
      const { recorder, planners } = this.#parts;
      const { cluster } = request;
      const { plan, hash, warnings, observed, subject } = await this.#prepare(request);
      await recorder.commit((_note, at) => recorder.state.plans.addReview({ hash, cluster, plan, at }));
      const told = warnings.map(({ summary }) => `Warning: ${summary}\n`).join('');
      const text = `${planners.describePlan(plan)}${told}`;
      const isUnchanged = plan.steps.length === 0;
      const needsName = needsConfirmation(plan, observed, subject.desired.destroyLimit);
      return {
        problems: isUnchanged ? [] : ((await obstaclesTo?.(subject, plan)) ?? []),
        plans: [{ cluster, plan, hash, text, warnings, isUnchanged }],
        hash,
        needsConfirmation: needsName ? [cluster] : [],
      };
    });
  }

  /**
   * Begins it; answers no operation when there is nothing to do. `keysFor`: the keys that the cluster has from then on, kept
   * in the transaction that begins the operation; asked for in the cluster's turn, after a repeat was found.
   */
  start(request: IntentRequest, keysFor?: KeysFor): Promise<IntentAnswer> {
    this.#parts.refuseWhenShort();
    return this.#parts.turns.take([request.cluster], () => this.#start(request, keysFor));
  }

  async #start(request: IntentRequest, keysFor?: KeysFor): Promise<IntentAnswer> {
    const { recorder, admission, ids } = this.#parts;
    const remembered = this.#remembered(request);
    if (remembered !== undefined) return remembered;
    const prepared = await this.#prepare(request);
    this.#checkReview(request, prepared);
    const { plan, subject, revision } = prepared;
    const keys = plan.steps.length === 0 ? undefined : await keysFor?.(subject, plan);
    const { cluster } = subject;
    if (plan.steps.length === 0) return {};
    const admitted = await recorder.commit((note, at) => {
      // A policy may have come into force since the plan was made.
      refuse(this.#judge(subject, request.principal).denials);
      const { principal, bypass = [] } = request;
      const approvals = approvalsFor(plan, prepared.observed, [subject.desired]);
      const work = { id: ids(), cluster, plan, revision, principal, bypass, approvals };
      const made = admission.admit(work, note, at);
      if (keys !== undefined) recorder.state.clusters.setKeys(cluster.uid, keys);
      this.#remember(request, made.operation, at);
      return made;
    });
    admission.begin(admitted);
    return this.#answer(admitted.operation);
  }

  #checkReview({ cluster, planHash: reviewed, confirm }: IntentRequest, prepared: PreparedIntent): void {
    const { plan, hash, observed, subject } = prepared;
    if (reviewed !== undefined && reviewed !== hash) {
      const review = this.#parts.recorder.state.plans.getReview(reviewed);
      const changes = review === undefined ? [] : changesBetween(review.plan, plan);
      throw new Refusal('plan-changed', [problems.planChanged(cluster)], changes);
    }
    const needsName = needsConfirmation(plan, observed, subject.desired.destroyLimit);
    if (needsName && confirm !== cluster)
      throw new Refusal('needs-confirmation', [problems.needsConfirmation(cluster, plan)]);
  }

  #answer(id: string): IntentAnswer {
    const { state, clock } = this.#parts.recorder;
    const record = state.operations.get(id);
    return record === undefined ? {} : { operation: viewOperation(state, record, clock.now()) };
  }

  /** A repeat under the same key gets the same operation. @throws Refusal when the key was another's */
  #remembered(request: IntentRequest): IntentAnswer | undefined {
    if (request.idempotencyKey === undefined) return undefined;
    const kept = this.#parts.recorder.state.answers.get(request.idempotencyKey, request.principal);
    if (kept === undefined) return undefined;
    if (kept.request !== digestOfRequest(request))
      throw new Refusal('conflict', [problems.keyReused(request.idempotencyKey)]);
    return this.#answer(JSON.parse(kept.answer) as string);
  }

  #remember(request: IntentRequest, operation: string, at: Instant): void {
    const { idempotencyKey: key, principal } = request;
    if (key === undefined) return;
    const answer = JSON.stringify(operation);
    this.#parts.recorder.state.answers.add({ key, principal, request: digestOfRequest(request), answer, at });
  }

  #judge({ desired: { name, document } }: Subject, principal: string): Judgement {
    return this.#parts.policies.judge({ name, document, before: document, principal });
  }

  /** @throws Refusal when there is no such cluster, it cannot be looked at, or the intent cannot be planned */
  async #prepare(request: IntentRequest): Promise<PreparedIntent> {
    const { recorder, planners, links } = this.#parts;
    const { state } = recorder;
    const record = state.clusters.find(request.cluster);
    if (record === undefined) throw new Refusal('not-found', [problems.notFound('cluster', request.cluster)]);
    const subject = subjectOf(state, planners, record.uid);
    const { denials, warnings } = this.#judge(subject, request.principal);
    refuse(denials);
    const link = links(subject.provider.site);
    requireAgent(state, link, subject.provider.site);
    const observed = await lookAndKeep(recorder, link, subject);
    const { intent, bypass = [] } = request;
    try {
      const asked = { subject, observed, keys: record.keys.public, bypass, intent };
      const plan = planOn({ ...this.#parts, state }, asked);
      // A plan that cannot be run must not become an operation.
      checkGraph(plan.steps);
      const revision = state.revisions.newest(record.uid)?.number ?? 0;
      return { subject, observed, plan, hash: planHash(plan), revision, warnings };
    } catch (error) {
      throw asRefusal(error);
    }
  }
}
