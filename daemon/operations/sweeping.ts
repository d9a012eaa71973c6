import type { TaggedCluster } from '../../provisioners/contract/provider.ts';
import { Problem } from '../../provisioners/contract/problem.ts';
import type { Observed } from '../../provisioners/contract/observed.ts';
import type { Plan } from '../../provisioners/contract/plan.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { ProviderRecord } from '../state/providers.ts';
import type { Admission } from './admission.ts';
import type { PlanAnswer, StrayCluster, StrayList } from './answers.ts';
import { requireAgent } from './asking.ts';
import type { IntentAnswer } from './day-two.ts';
import type { AgentLink } from './link.ts';
import { bareCluster, bareSubject } from './bare-cluster.ts';
import { contextFor, observeThrough, pastOf, type Subject } from './observation.ts';
import { subjectOf } from './plan-record.ts';
import type { Planners } from './planners.ts';
import { revisionOf } from './planning.ts';
import { asRefusal } from './preparation.ts';
import { problems } from './problems.ts';
import type { Recorder } from './recorder.ts';
import { Refusal } from './requests.ts';
import { changesBetween, digestOfRequest, planHash } from './review.ts';
import { sweepProblems } from './sweep-problems.ts';
import { viewOperation } from './views.ts';

/** What is to be swept, and on whose word. */
export interface SweepRequest {
  /** uid of the cluster that nobody here knows. */
  readonly uid: string;
  readonly principal: string;
  readonly planHash?: string;
  /** The cluster's name. */
  readonly confirm?: string;
  readonly idempotencyKey?: string;
}

/** What sweeping needs. */
export interface SweepingParts {
  readonly recorder: Recorder;
  readonly planners: Planners;
  readonly links: (site: string) => AgentLink;
  readonly admission: Admission;
  readonly ids: () => string;
  /** @throws Refusal while there is no space for new work */
  readonly refuseWhenShort: () => void;
}

/** What the API asks of it. */
export type SweepDoors = Pick<Sweeping, 'list' | 'plan' | 'start'>;

interface PreparedSweep {
  readonly stray: StrayCluster;
  readonly subject: Subject;
  readonly plan: Plan;
  readonly hash: string;
}

/** The uid under which providers are asked about all clusters at once. */
const everyCluster = { uid: 'unknown', name: 'unknown' };

/**
 * What bears our tags at the providers and belongs to no cluster of ours: what a deletion could not remove, what came into
 * being after it, what an appliance has made that lost its state. It goes by an operation like a deletion, and is proven gone.
 */
export class Sweeping {
  readonly #parts: SweepingParts;

  constructor(parts: SweepingParts) {
    this.#parts = parts;
  }

  /** Looks at every provider, or at one. A provider that cannot be asked is named, and hides none of the others. */
  async list(provider?: string): Promise<StrayList> {
    const { state } = this.#parts.recorder;
    const asked = state.providers.list().filter(({ name }) => provider === undefined || name === provider);
    if (provider !== undefined && asked.length === 0)
      throw new Refusal('not-found', [problems.notFound('provider', provider)]);
    const looks = await Promise.all(asked.map((one) => this.#lookAt(one)));
    return {
      strays: looks.flatMap(({ strays }) => strays),
      unseen: looks.flatMap(({ unseen }) => unseen),
    };
  }

  /** What sweeping would remove, from a fresh look. Starts nothing. */
  async plan({ uid }: SweepRequest): Promise<PlanAnswer> {
    const { recorder, planners } = this.#parts;
    const { subject, plan, hash } = await this.#prepare(uid);
    const { name: cluster } = subject.cluster;
    await recorder.commit((_note, at) => recorder.state.plans.addReview({ hash, cluster, plan, at }));
    const text = planners.describePlan(plan);
    const shown = { cluster, plan, hash, text, warnings: [], isUnchanged: false };
    return { problems: [], plans: [shown], hash, needsConfirmation: [cluster] };
  }

  /** Removes it, by an operation of its own. */
  async start(request: SweepRequest): Promise<IntentAnswer> {
    const { recorder, admission, ids } = this.#parts;
    const { state } = recorder;
    this.#parts.refuseWhenShort();
    const { uid, principal } = request;
    const begun = this.#remembered(request) ?? this.#underWay(uid);
    if (begun !== undefined) return this.#answer(begun);
    const { stray, subject, plan, hash } = await this.#prepare(uid);
    const { name } = subject.cluster;
    if (request.planHash !== undefined && request.planHash !== hash) {
      const review = state.plans.getReview(request.planHash);
      const changes = review === undefined ? [] : changesBetween(review.plan, plan);
      throw new Refusal('plan-changed', [problems.planChanged(name)], changes);
    }
    if (request.confirm !== name)
      throw new Refusal('needs-confirmation', [problems.needsConfirmation(name, plan)]);
    const admitted = await recorder.commit((note, at) => {
      // It may have been adopted, or another may have begun to sweep it, since it was looked at.
      this.#requireStray(uid);
      state.clusters.addStray({ uid, name, provider: stray.provider, at });
      note({ type: 'stray.found', cluster: name, data: { uid, provider: stray.provider, principal } });
      const revision = state.revisions.newest(uid)?.number ?? 0;
      const made = admission.admit(
        { id: ids(), cluster: { uid, name }, plan, revision, principal, bypass: [] },
        note,
        at,
      );
      this.#remember(request, made.operation, at);
      return made;
    });
    admission.begin(admitted);
    return this.#answer(admitted.operation);
  }

  #answer(id: string): IntentAnswer {
    const { state, clock } = this.#parts.recorder;
    const record = state.operations.get(id);
    return record === undefined ? {} : { operation: viewOperation(state, record, clock.now()) };
  }

  /** A repeat under the same key gets the same operation. @throws Refusal when the key was another's */
  #remembered(request: SweepRequest): string | undefined {
    const { idempotencyKey: key, principal } = request;
    const kept = key === undefined ? undefined : this.#parts.recorder.state.answers.get(key, principal);
    if (key === undefined || kept === undefined) return undefined;
    if (kept.request !== digestOfRequest(request)) throw new Refusal('conflict', [problems.keyReused(key)]);
    return JSON.parse(kept.answer) as string;
  }

  #remember(request: SweepRequest, operation: string, at: Instant): void {
    const { idempotencyKey: key, principal } = request;
    if (key === undefined) return;
    const answer = JSON.stringify(operation);
    this.#parts.recorder.state.answers.add({ key, principal, request: digestOfRequest(request), answer, at });
  }

  /** Sweeping what is being swept is the same wish. */
  #underWay(uid: string): string | undefined {
    const { state } = this.#parts.recorder;
    const isGone = state.clusters.get(uid)?.deletedAt !== undefined;
    return isGone ? state.operations.holder(uid)?.id : undefined;
  }

  /** @throws Refusal when a cluster of ours has this uid, or an operation is at work on it */
  #requireStray(uid: string): void {
    const { state } = this.#parts.recorder;
    const record = state.clusters.get(uid);
    if (record === undefined) return;
    const holder = state.operations.holder(uid);
    if (holder !== undefined) throw new Refusal('conflict', [sweepProblems.isAtWork(record.name, holder.id)]);
    if (record.deletedAt === undefined)
      throw new Refusal('conflict', [sweepProblems.isOurs(record.name, uid)]);
  }

  async #lookAt(
    record: ProviderRecord,
  ): Promise<{ readonly strays: readonly StrayCluster[]; readonly unseen: StrayList['unseen'] }> {
    const { recorder, planners, links } = this.#parts;
    const { state } = recorder;
    const provider = planners.readProvider(record.document);
    const link = links(provider.site);
    const subject = {
      cluster: everyCluster,
      provider,
      desired: bareCluster('unknown', provider.name),
      keys: '',
    };
    try {
      requireAgent(state, link, provider.site);
      if (link.reach === undefined)
        throw new Refusal('unavailable', [problems.cannotAsk(provider.site, true)]);
      const found = await link.reach('provider.clusters', { context: contextFor(state, subject) });
      return { strays: found.flatMap((one) => this.#strayOf(provider.name, one)), unseen: [] };
    } catch (error) {
      const refusal = error instanceof Problem ? asRefusal(error) : error;
      if (!(refusal instanceof Refusal)) throw error;
      const [{ summary: why } = { summary: 'it cannot be asked' }] = refusal.problems;
      return { strays: [], unseen: [{ provider: provider.name, why }] };
    }
  }

  /** Nothing for a cluster that this Remuda keeps. */
  #strayOf(provider: string, { cluster, isReleased, things }: TaggedCluster): StrayCluster[] {
    const { state } = this.#parts.recorder;
    const record = state.clusters.get(cluster.uid);
    if (record !== undefined && record.deletedAt === undefined) return [];
    const holder = record && state.operations.holder(cluster.uid);
    return [
      {
        ...cluster,
        provider,
        isReleased,
        things: things.map(({ type, id, name }) => ({ type, id, name })),
        ...(record?.deletedAt === undefined ? {} : { forgottenAt: record.deletedAt }),
        ...(holder === undefined ? {} : { operation: holder.id }),
      },
    ];
  }

  async #prepare(uid: string): Promise<PreparedSweep> {
    const { recorder, planners, links } = this.#parts;
    const { state } = recorder;
    this.#requireStray(uid);
    const { strays, unseen } = await this.list();
    const stray = strays.find((one) => one.uid === uid);
    if (stray === undefined)
      // What could not be asked may hold it: that is no word on whether it is there.
      throw new Refusal(unseen.length === 0 ? 'not-found' : 'unavailable', [
        sweepProblems.nothingThere(
          uid,
          unseen.map(({ provider, why }) => `${provider} (${why})`),
        ),
      ]);
    if (stray.isReleased) throw new Refusal('conflict', [sweepProblems.isReleased(stray.name)]);
    const isKnown = state.clusters.get(uid) !== undefined;
    const subject = isKnown
      ? subjectOf(state, planners, uid)
      : bareSubject(state, planners, { uid, name: stray.name, provider: stray.provider });
    const { cluster, desired, provider } = subject;
    try {
      const observed: Observed = await observeThrough(links(provider.site), state, subject);
      const seen = { observed, revision: revisionOf(subject), ...pastOf(state, uid) };
      const made = planners.planDeletion({ cluster, desired, provider, ...seen });
      const plan = { ...made, notices: [noticeOf(stray), ...made.notices] };
      return { stray, subject, plan, hash: planHash(plan) };
    } catch (error) {
      throw asRefusal(error);
    }
  }
}

/** What a person has to know before he agrees: whose it was, as far as anybody can tell. */
function noticeOf({ uid, name, provider, forgottenAt }: StrayCluster): string {
  const past =
    forgottenAt === undefined
      ? 'This Remuda never knew it. If its appliance lost its state, adopt it instead (remuda cluster adopt); if another appliance works with this provider, ask there first.'
      : `This Remuda knew it until ${forgottenAt}.`;
  return `This is no cluster of ours: ${name} (${uid}) at provider ${provider}. ${past}`;
}
