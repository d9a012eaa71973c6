import type { FoundCluster } from '../../appliance/agent/protocol/questions.ts';
import type { ClusterIdentity } from '../../provisioners/contract/machine.ts';
import type { Observed } from '../../provisioners/contract/observed.ts';
import type { Plan } from '../../provisioners/contract/plan.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { DrawnKeys } from '../state/clusters.ts';
import type { Admission } from './admission.ts';
import { approvalsFor } from './agreement.ts';
import type { IntentAnswer } from './day-two.ts';
import type { Subject } from './observation.ts';
import { keepProvider } from './kept-provider.ts';
import type { AgentLink } from './link.ts';
import { ownershipProblems } from './ownership-problems.ts';
import { revisionOf } from './planning.ts';
import type { Planners } from './planners.ts';
import type { Policies } from './policies.ts';
import type { Preparation, PreparedFile } from './preparation.ts';
import { problems } from './problems.ts';
import type { Note, Recorder } from './recorder.ts';
import { Refusal } from './requests.ts';
import type { Turns } from './turns.ts';
import { viewOperation } from './views.ts';

/** `cluster adopt`, and its plan. */
export interface ImportRequest {
  readonly text: string;
  readonly file: string;
  readonly principal: string;
  readonly master: { readonly address: string; readonly port: number; readonly user: string };
  /** OpenSSH private key that may log in on every machine. In memory until it is sealed. */
  readonly privateKey: string;
  /** Fingerprint of the master's host key, `SHA256:…`. */
  readonly hostKey?: string;
  /** A file of known hosts as OpenSSH writes it: each machine must show a key of it. */
  readonly knownHosts?: string;
  /** Another Remuda keeps the cluster, or kept it until its state was lost. */
  readonly takesOver: boolean;
  readonly planHash?: string;
  readonly confirm?: string;
  readonly idempotencyKey?: string;
}

/** A cluster that was found, planned and compared, with nothing written yet. */
export interface PreparedImport {
  readonly subject: Subject;
  readonly keys: DrawnKeys;
  readonly observed: Observed;
  readonly plan: Plan;
  readonly hash: string;
  readonly next: string;
  readonly parsed: PreparedFile['parsed'];
  readonly secrets: PreparedFile['secrets'];
}

/** What importing needs. */
export interface ImportingParts {
  readonly recorder: Recorder;
  readonly planners: Planners;
  readonly preparation: Preparation;
  readonly admission: Admission;
  readonly links: (site: string) => AgentLink;
  readonly ids: () => string;
  readonly policies: Policies;
  readonly recoveryRecipient?: string;
  /** Requests about the same cluster go one after another. */
  readonly turns: Turns;
  /** @throws Refusal while there is no space for new work */
  readonly refuseWhenShort: () => void;
}

/** What is written down of a cluster that is taken in, all of it in one transaction. */
export class ImportRecords {
  readonly #parts: ImportingParts;

  constructor(parts: ImportingParts) {
    this.#parts = parts;
  }

  /** Keys drawn for an earlier plan of the same cluster, so that exactly that plan can be run. */
  drawnBefore({ uid, name }: ClusterIdentity, { keys }: FoundCluster): DrawnKeys | undefined {
    const draft = this.#parts.recorder.state.clusters.findDraft(name);
    const isSame = draft?.uid === uid && draft.keys.public.caCertificate === keys.public.caCertificate;
    return isSame ? draft.keys : undefined;
  }

  /** Remembers what was drawn and shown. */
  keepReview({ subject, keys, plan, hash }: PreparedImport): Promise<void> {
    const { state } = this.#parts.recorder;
    const { uid, name } = subject.cluster;
    return this.#parts.recorder.commit((_note, at) => {
      if (state.clusters.findDraft(name)?.uid !== uid) state.clusters.removeDraft(name);
      state.clusters.addDraft({ name, uid, site: subject.provider.site, keys, at });
      state.plans.addReview({ hash, cluster: name, plan, at });
    });
  }

  /** A repeat under the same key gets the same operation. @throws Refusal when the key was another's */
  remembered({ idempotencyKey, principal }: ImportRequest, digest: string): IntentAnswer | undefined {
    if (idempotencyKey === undefined) return undefined;
    const kept = this.#parts.recorder.state.answers.get(idempotencyKey, principal);
    if (kept === undefined) return undefined;
    if (kept.request !== digest) throw new Refusal('conflict', [problems.keyReused(idempotencyKey)]);
    return this.#answer(JSON.parse(kept.answer) as string);
  }

  /** Keeps the cluster and begins the operation. */
  async begin(request: ImportRequest, prepared: PreparedImport, digest: string): Promise<IntentAnswer> {
    const { recorder, admission, ids } = this.#parts;
    const { subject, plan, observed } = prepared;
    const { principal, idempotencyKey: key } = request;
    const admitted = await recorder.commit((note, at) => {
      const revision = this.#keep(request, prepared, note, at);
      const approvals = approvalsFor(plan, observed, [subject.desired]);
      const work = { id: ids(), cluster: subject.cluster, plan, revision, principal, bypass: [], approvals };
      const made = admission.admit(work, note, at);
      if (key !== undefined)
        recorder.state.answers.add({
          key,
          principal,
          request: digest,
          answer: JSON.stringify(made.operation),
          at,
        });
      return made;
    });
    admission.begin(admitted);
    return this.#answer(admitted.operation);
  }

  /** Answers the number of the revision. */
  #keep(request: ImportRequest, prepared: PreparedImport, note: Note, at: Instant): number {
    const { state } = this.#parts.recorder;
    const { principal } = request;
    const { subject, keys, observed, parsed, secrets } = prepared;
    const { cluster, desired, provider } = subject;
    const { uid, name } = cluster;
    if (state.clusters.find(name) !== undefined)
      throw new Refusal('conflict', [ownershipProblems.isOurs(name)]);
    for (const secret of secrets) state.secrets.put({ ...secret, principal, updatedAt: at });
    for (const one of parsed.providers) keepProvider(state, one, principal, note, at);
    state.clusters.add({ uid, name, provider: provider.name, keys, createdAt: at });
    state.clusters.removeDraft(name);
    for (const { name: machine, incarnation, token, address } of observed.machines ?? []) {
      const known = address === undefined ? {} : { address };
      state.machines.incarnate(uid, { name: machine, incarnation, token, ...known });
    }
    for (const reference of Object.values(observed.references)) state.machines.pin(uid, reference);
    state.clusters.setObserved(uid, observed);
    const number = (state.revisions.newest(uid)?.number ?? 0) + 1;
    state.revisions.add({
      cluster: uid,
      number,
      digest: revisionOf(subject),
      document: desired.document,
      providerDocument: provider.document,
      text: parsed.text,
      file: request.file,
      principal,
      at,
    });
    note({ type: 'cluster.found', cluster: name, data: { principal, uid } });
    return number;
  }

  #answer(id: string): IntentAnswer {
    const { state, clock } = this.#parts.recorder;
    const record = state.operations.get(id);
    return record === undefined ? {} : { operation: viewOperation(state, record, clock.now()) };
  }
}
