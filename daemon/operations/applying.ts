import type { Instant } from '../../provisioners/contract/time.ts';
import type { Admission, Admitted } from './admission.ts';
import { approvalsFor } from './agreement.ts';
import type { State } from '../state/state.ts';
import { secretOfBackup } from '../spec/destination.ts';
import type { DesiredCluster, Planners } from './planners.ts';
import { keepProvider } from './kept-provider.ts';
import { type Policies, refuse } from './policies.ts';
import type { Preparation, PreparedCluster, PreparedFile } from './preparation.ts';
import { problems } from './problems.ts';
import type { Note, Recorder } from './recorder.ts';
import { type ApplyRequest, type FileRequest, Refusal } from './requests.ts';
import type { ApplyAnswer, ClusterPlan, PlanAnswer } from './answers.ts';
import { changesBetween, digestOfRequest, fileHash, needsConfirmation } from './review.ts';
import { viewOperation } from './views.ts';

interface Decision {
  readonly admitted: readonly Admitted[];
  readonly unchanged: readonly string[];
  readonly stored: readonly string[];
}

/** An answer as it is remembered for a repeat of the request: operations by id. */
interface RememberedAnswer {
  readonly operations: readonly string[];
  readonly unchanged: readonly string[];
  readonly stored: readonly string[];
}

/** What applying needs. */
export interface ApplyingParts {
  readonly recorder: Recorder;
  readonly planners: Planners;
  readonly preparation: Preparation;
  readonly admission: Admission;
  readonly ids: () => string;
  readonly policies: Policies;
}

/** `plan` and `apply`: from a file to operations, in one transaction. */
export class Applying {
  readonly #parts: ApplyingParts;

  constructor(parts: ApplyingParts) {
    this.#parts = parts;
  }

  /** Remembers what was drawn and shown, so that exactly this plan can be run; starts nothing. */
  async plan(request: FileRequest): Promise<PlanAnswer> {
    const { problems: found } = this.#parts.preparation.validate(request.text, request.file);
    if (found.length > 0) return { problems: found, plans: [], hash: '', needsConfirmation: [] };
    const { clusters } = await this.#parts.preparation.prepare(request, false);
    const plans = clusters.map((cluster) => this.#show(cluster));
    const hash = fileHash(plans.map((plan) => plan.hash));
    const { state } = this.#parts.recorder;
    await this.#parts.recorder.commit((_note, at) => {
      for (const { record, subject, keys, plan, hash: ownHash } of clusters) {
        const { uid, name } = subject.cluster;
        if (record === undefined)
          state.clusters.addDraft({ name, uid, site: subject.provider.site, keys, at });
        state.plans.addReview({ hash: ownHash, cluster: name, plan, at });
      }
    });
    return { problems: [], plans, hash, needsConfirmation: unconfirmed(clusters, []) };
  }

  async apply(request: ApplyRequest): Promise<ApplyAnswer> {
    const digest = request.digest ?? digestOfRequest(request);
    const remembered = this.remembered(request, digest);
    if (remembered !== undefined) return remembered;
    const prepared = await this.#parts.preparation.prepare(request, true);
    this.#checkRevision(request, prepared);
    this.#checkReview(request, prepared);
    const decision = await this.#parts.recorder.commit((note, at) => {
      const made = this.#write(request, prepared, note, at);
      if (request.idempotencyKey !== undefined)
        this.#parts.recorder.state.answers.add({
          key: request.idempotencyKey,
          principal: request.principal,
          request: digest,
          answer: JSON.stringify({ ...made, operations: operationsOf(made, prepared) }),
          at,
        });
      return made;
    });
    for (const admitted of decision.admitted) this.#parts.admission.begin(admitted);
    return this.#answer({ ...decision, operations: operationsOf(decision, prepared) });
  }

  #show({ subject, plan, hash, warnings }: PreparedCluster): ClusterPlan {
    const told = warnings.map(({ summary }) => `Warning: ${summary}\n`).join('');
    return {
      cluster: subject.cluster.name,
      plan,
      hash,
      text: `${this.#parts.planners.describePlan(plan)}${told}`,
      warnings,
      isUnchanged: plan.steps.length === 0,
    };
  }

  /** What the same request was answered before, under its key. @throws Refusal when the key was another's */
  remembered(
    request: Pick<ApplyRequest, 'idempotencyKey' | 'principal'>,
    digest: string,
  ): ApplyAnswer | undefined {
    if (request.idempotencyKey === undefined) return undefined;
    const kept = this.#parts.recorder.state.answers.get(request.idempotencyKey, request.principal);
    if (kept === undefined) return undefined;
    if (kept.request !== digest) throw new Refusal('conflict', [problems.keyReused(request.idempotencyKey)]);
    return this.#answer(JSON.parse(kept.answer) as RememberedAnswer);
  }

  #answer({ operations, unchanged, stored }: RememberedAnswer): ApplyAnswer {
    const { state, clock } = this.#parts.recorder;
    const records = operations.flatMap((id) => state.operations.get(id) ?? []);
    const views = records.map((record) => viewOperation(state, record, clock.now()));
    return { operations: views, unchanged, stored };
  }

  #checkRevision(request: ApplyRequest, { parsed }: PreparedFile): void {
    if (request.ifRevision === undefined) return;
    const { state } = this.#parts.recorder;
    for (const { name } of parsed.clusters) {
      const record = state.clusters.find(name);
      const found = record === undefined ? 0 : (state.revisions.newest(record.uid)?.number ?? 0);
      if (found !== request.ifRevision)
        throw new Refusal('conflict', [problems.staleRevision(name, request.ifRevision, found)]);
    }
  }

  /** Exactly the reviewed plan, and with its destruction confirmed; or nothing. */
  #checkReview(request: ApplyRequest, { clusters }: PreparedFile): void {
    const hash = fileHash(clusters.map((cluster) => cluster.hash));
    if (request.planHash !== undefined && clusters.length > 0 && hash !== request.planHash) {
      const [first] = clusters as [PreparedCluster];
      const review = this.#parts.recorder.state.plans.getReview(request.planHash);
      const changes = review === undefined ? [] : changesBetween(review.plan, first.plan);
      throw new Refusal('plan-changed', [problems.planChanged(first.subject.cluster.name)], changes);
    }
    const names = unconfirmed(clusters, request.confirm ?? []);
    const found = names.flatMap((name) => {
      const cluster = clusters.find(({ subject }) => subject.cluster.name === name);
      return cluster ? [problems.needsConfirmation(name, cluster.plan)] : [];
    });
    const [first, ...others] = found;
    if (first !== undefined) throw new Refusal('needs-confirmation', [first, ...others]);
  }

  #write(request: ApplyRequest, prepared: PreparedFile, note: Note, at: Instant): Decision {
    const { state } = this.#parts.recorder;
    const { principal } = request;
    const stored: string[] = [];
    for (const secret of prepared.secrets) {
      state.secrets.put({ ...secret, principal, updatedAt: at });
      stored.push(`Secret/${secret.name}`);
    }
    for (const provider of prepared.parsed.providers)
      if (keepProvider(state, provider, principal, note, at)) stored.push(`Provider/${provider.name}`);
    for (const policy of prepared.parsed.policies ?? [])
      if (this.#parts.policies.keep(policy, principal, note, at))
        stored.push(`Policy/${policy.metadata.name}`);
    const admitted: Admitted[] = [];
    const unchanged: string[] = [];
    for (const cluster of prepared.clusters) {
      const { name } = cluster.subject.cluster;
      this.#judgeAgain(principal, prepared, cluster);
      const { number, isNew } = this.#storeCluster(request, prepared, cluster, at);
      if (isNew) stored.push(`Cluster/${name}`);
      if (cluster.plan.steps.length === 0) {
        unchanged.push(name);
        state.clusters.setAsAsked(cluster.subject.cluster.uid, at);
      } else admitted.push(this.#admit(request, cluster, number, note, at));
    }
    return { admitted, unchanged, stored };
  }

  /** A policy may have come into force since the file was prepared. @throws Refusal of reason `invalid` */
  #judgeAgain(
    principal: string,
    { parsed }: PreparedFile,
    { subject: { desired }, newest }: PreparedCluster,
  ): void {
    const { name, document } = desired;
    const judged = { name, document, before: newest?.document, principal };
    refuse(this.#parts.policies.judge(judged, parsed.policies).denials);
  }

  #admit(
    request: ApplyRequest,
    cluster: PreparedCluster,
    revision: number,
    note: Note,
    at: Instant,
  ): Admitted {
    const { principal, bypass = [] } = request;
    const id = this.#parts.ids();
    const { subject, plan, observed, newest } = cluster;
    const before = newest === undefined ? [] : [this.#parts.planners.readCluster(newest.document)];
    const approvals = approvalsFor(plan, observed, [subject.desired, ...before]);
    const work = { id, cluster: subject.cluster, plan, revision, principal, bypass, approvals };
    return this.#parts.admission.admit(work, note, at);
  }

  /** Stores a new cluster and a new revision where there is one; answers the revision's number. */
  #storeCluster(
    request: ApplyRequest,
    prepared: PreparedFile,
    cluster: PreparedCluster,
    at: Instant,
  ): { readonly number: number; readonly isNew: boolean } {
    const { state } = this.#parts.recorder;
    const { uid, name } = cluster.subject.cluster;
    const { desired, provider } = cluster.subject;
    const newest = state.revisions.newest(uid);
    // Somebody else was quicker between our look and this transaction.
    if (newest?.number !== cluster.newest?.number)
      throw new Refusal('conflict', [
        problems.staleRevision(name, cluster.newest?.number ?? 0, newest?.number ?? 0),
      ]);
    if (cluster.record === undefined) {
      state.clusters.add({ uid, name, provider: provider.name, keys: cluster.keys, createdAt: at });
      state.clusters.removeDraft(name);
    }
    bindSecrets(state, desired);
    state.clusters.setObserved(uid, cluster.observed);
    if (newest?.digest === cluster.digest) return { number: newest.number, isNew: false };
    const number = (newest?.number ?? 0) + 1;
    state.revisions.add({
      cluster: uid,
      number,
      digest: cluster.digest,
      document: desired.document,
      providerDocument: provider.document,
      text: prepared.parsed.text,
      file: request.file,
      principal: request.principal,
      at,
    });
    return { number, isNew: true };
  }
}

/** Secrets that a cluster's backups and hooks need are bound to the servers they go to, unless they were given for one. */
function bindSecrets({ secrets }: State, { backup, hookSecrets }: DesiredCluster): void {
  for (const used of [secretOfBackup(backup.destination), ...hookSecrets])
    if (used !== undefined && secrets.get(used.name)?.destination === undefined)
      secrets.bind(used.name, used.destination);
}

const unconfirmed = (clusters: readonly PreparedCluster[], confirmed: readonly string[]): string[] =>
  clusters
    .filter(({ plan, observed, subject }) => needsConfirmation(plan, observed, subject.desired.destroyLimit))
    .map(({ subject }) => subject.cluster.name)
    .filter((name) => !confirmed.includes(name));

const operationsOf = (decision: Decision, { underWay }: PreparedFile): string[] => [
  ...decision.admitted.map((admitted) => admitted.operation),
  ...underWay.map(({ holder }) => holder.id),
];
