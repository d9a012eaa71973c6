import type { Observed } from '../../provisioners/contract/observed.ts';
import type { Plan } from '../../provisioners/contract/plan.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import { type Released, releaseFactsSchema } from '../../provisioners/contract/released.ts';
import type { State } from '../state/state.ts';
import type { ClusterRecord } from '../state/clusters.ts';
import type { Admission } from './admission.ts';
import { requireAgent } from './asking.ts';
import { locateProblem } from './location.ts';
import type { AgentLink } from './link.ts';
import { observeThrough, pastOf, type Subject } from './observation.ts';
import { subjectOf } from './plan-record.ts';
import type { Planners } from './planners.ts';
import { type Judgement, type Policies, refuse } from './policies.ts';
import { asRefusal } from './preparation.ts';
import { problems } from './problems.ts';
import type { Recorder } from './recorder.ts';
import { revisionOf } from './planning.ts';
import { type DeleteRequest, Refusal } from './requests.ts';
import type { OperationView, PlanAnswer } from './answers.ts';
import { changesBetween, digestOfRequest, planHash } from './review.ts';
import { mainWork } from './side-work.ts';
import { viewOperation } from './views.ts';

/**
 * What a deletion that stopped had found out of balancers and volumes. Nothing unless machines had begun to go: until
 * then the cluster may have gone on working, and is asked anew.
 */
function whatItReleased(state: State, operation: string): { readonly released?: readonly Released[] } {
  const steps = state.steps.list(operation);
  if (!steps.some(({ id, attempt }) => id.startsWith('machine.destroy/') && attempt > 0)) return {};
  const released = steps.flatMap(({ facts }) => releaseFactsSchema.safeParse(facts).data?.lists ?? []);
  return { released };
}

/** What deleting needs. */
export interface DeletingParts {
  readonly recorder: Recorder;
  readonly planners: Planners;
  readonly links: (site: string) => AgentLink;
  readonly admission: Admission;
  readonly ids: () => string;
  readonly policies: Policies;
}

interface PreparedDeletion {
  readonly record: ClusterRecord;
  readonly subject: Subject;
  readonly plan: Plan;
  readonly hash: string;
  /** What policies have against it without refusing it. */
  readonly warnings: Judgement['warnings'];
}

/** `delete` and its plan. */
export class Deleting {
  readonly #parts: DeletingParts;

  constructor(parts: DeletingParts) {
    this.#parts = parts;
  }

  async plan(request: DeleteRequest): Promise<PlanAnswer> {
    const { plan, hash, warnings } = await this.#prepare(request);
    const { recorder, planners } = this.#parts;
    const cluster = request.name;
    await recorder.commit((_note, at) => recorder.state.plans.addReview({ hash, cluster, plan, at }));
    const told = warnings.map(({ summary }) => `Warning: ${summary}\n`).join('');
    const text = `${planners.describePlan(plan)}${told}`;
    const shown = { cluster, plan, hash, text, warnings, isUnchanged: false };
    return { problems: [], plans: [shown], hash, needsConfirmation: [cluster] };
  }

  async delete(request: DeleteRequest): Promise<OperationView> {
    const { recorder, admission, ids } = this.#parts;
    const { state } = recorder;
    const repeated = this.#remembered(request) ?? this.#sameUnderWay(request.name);
    if (repeated !== undefined) return repeated;
    const { record, subject, plan, hash } = await this.#prepare(request);
    if (request.planHash !== undefined && request.planHash !== hash) {
      const review = state.plans.getReview(request.planHash);
      const changes = review === undefined ? [] : changesBetween(review.plan, plan);
      throw new Refusal('plan-changed', [problems.planChanged(request.name)], changes);
    }
    if (request.confirm !== request.name)
      throw new Refusal('needs-confirmation', [problems.needsConfirmation(request.name, plan)]);
    const admitted = await recorder.commit((note, at) => {
      // A policy may have come into force since the plan was made.
      refuse(this.#judge(record, request.principal).denials);
      const revision = state.revisions.newest(record.uid)?.number ?? 1;
      const cluster = { uid: record.uid, name: record.name };
      const { principal, volumes } = request;
      const given = volumes === undefined ? {} : { volumes };
      const approvals = subject.desired.maintenance.approvals;
      const work = { id: ids(), cluster, plan, revision, principal, bypass: [], approvals, ...given };
      const made = admission.admit(work, note, at);
      this.#remember(request, made.operation, at);
      return made;
    });
    admission.begin(admitted);
    const made = state.operations.get(admitted.operation);
    if (made === undefined) throw new Error(`operation ${admitted.operation} was not kept`);
    return viewOperation(state, made, recorder.clock.now());
  }

  /** A repeat under the same key gets the same operation, also when the cluster is gone by now. */
  #remembered(request: DeleteRequest): OperationView | undefined {
    if (request.idempotencyKey === undefined) return undefined;
    const { state, clock } = this.#parts.recorder;
    const kept = state.answers.get(request.idempotencyKey, request.principal);
    if (kept === undefined) return undefined;
    if (kept.request !== digestOfRequest(request))
      throw new Refusal('conflict', [problems.keyReused(request.idempotencyKey)]);
    const record = state.operations.get(JSON.parse(kept.answer) as string);
    return record && viewOperation(state, record, clock.now());
  }

  #remember(request: DeleteRequest, operation: string, at: Instant): void {
    const { idempotencyKey: key, principal } = request;
    if (key === undefined) return;
    const answer = JSON.stringify(operation);
    this.#parts.recorder.state.answers.add({ key, principal, request: digestOfRequest(request), answer, at });
  }

  /** Deleting what is being deleted is the same wish: it gets the same operation. */
  #sameUnderWay(name: string): OperationView | undefined {
    const { state, clock } = this.#parts.recorder;
    const record = state.clusters.find(name);
    const holder = record && (state.operations.queued(record.uid) ?? state.operations.holder(record.uid));
    return holder?.kind === 'delete' ? viewOperation(state, holder, clock.now()) : undefined;
  }

  /** The plan of a deletion that stopped and would go on now. */
  #earlier(uid: string): { readonly earlier?: Plan; readonly released?: readonly Released[] } {
    const { state } = this.#parts.recorder;
    const last = state.operations.newest(uid, mainWork);
    const kept = last?.kind === 'delete' ? state.plans.get(last.id, last.planNumber) : undefined;
    if (last === undefined || kept === undefined) return {};
    return { earlier: kept.plan, ...whatItReleased(state, last.id) };
  }

  #judge({ uid, name }: ClusterRecord, principal: string): Judgement {
    const { recorder, policies } = this.#parts;
    const before = recorder.state.revisions.newest(uid)?.document;
    return policies.judge({ name, document: null, before, principal });
  }

  async #prepare(request: DeleteRequest): Promise<PreparedDeletion> {
    const { recorder, planners, links } = this.#parts;
    const { state } = recorder;
    const record = state.clusters.find(request.name);
    if (record === undefined) throw new Refusal('not-found', [problems.notFound('cluster', request.name)]);
    const subject = subjectOf(state, planners, record.uid);
    if (subject.desired.isProtected) {
      const problem = locateProblem(state, planners, record.uid, problems.isProtected(request.name));
      throw new Refusal('invalid', [problem]);
    }
    const { denials, warnings } = this.#judge(record, request.principal);
    refuse(denials);
    const { site } = subject.provider;
    requireAgent(state, links(site), site);
    try {
      const observed: Observed = await observeThrough(links(site), state, subject);
      const { volumes, whenBlocked } = request;
      const wish = {
        ...(volumes === undefined ? {} : { volumes }),
        ...(whenBlocked === undefined ? {} : { whenBlocked }),
      };
      const { cluster, desired, provider } = subject;
      const revision = revisionOf(subject);
      const seen = { observed, revision, ...this.#earlier(record.uid), ...pastOf(state, record.uid) };
      const plan = planners.planDeletion({ cluster, desired, provider, ...seen, ...wish });
      return { record, subject, plan, warnings, hash: planHash(plan) };
    } catch (error) {
      throw asRefusal(error);
    }
  }
}
