import type { Json, JsonObject } from '../../provisioners/contract/json.ts';
import type { ProblemReport } from '../../provisioners/contract/problem.ts';
import type { Instant } from '../../provisioners/contract/time.ts';
import type { PolicyDocument } from '../spec/documents.ts';
import { defaultPolicies } from '../spec/policy/defaults.ts';
import { judge, judges, type Objection, speaksOf } from '../spec/policy/judgement.ts';
import type { PolicyOperation } from '../spec/schema/policy.ts';
import type { PolicyRecord } from '../state/policies.ts';
import { problems } from './problems.ts';
import type { Note, Recorder } from './recorder.ts';
import { Refusal } from './requests.ts';

/** A policy in force. */
export interface PolicyView {
  readonly name: string;
  /** `shipped`: it came with Remuda. */
  readonly source: 'shipped' | 'applied';
  readonly document: JsonObject;
  readonly principal?: string;
  readonly updatedAt?: Instant;
}

/** What one policy says of one cluster, if this were done to it. */
export interface PolicyVerdict {
  readonly policy: string;
  readonly cluster: string;
  readonly operation: PolicyOperation;
  readonly outcome: 'passes' | 'warns' | 'denies';
  readonly objections: readonly ProblemReport[];
}

/** The doors of the policies, for the API. */
export interface PolicyDoors {
  list(): readonly PolicyView[];
  /** @throws Refusal of reason `not-found` */
  remove(name: string, principal: string): Promise<void>;
  /** What these policies say of every cluster that is kept; without any, those in force. Changes nothing. */
  test(policies: readonly PolicyDocument[], principal: string): readonly PolicyVerdict[];
}

/** A cluster as it is asked for (null: it is to go) and as it was before. */
interface Judged {
  readonly name: string;
  readonly document: JsonObject | null;
  readonly before: JsonObject | undefined;
  readonly principal: string;
}

/** What policies have against a cluster, parted by what comes of it. */
export interface Judgement {
  readonly denials: readonly ProblemReport[];
  readonly warnings: readonly ProblemReport[];
}

/** Every policy in force, and what they say. All planning goes through {@link Policies.judge}. */
export class Policies implements PolicyDoors {
  readonly #recorder: Recorder;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  list(): readonly PolicyView[] {
    const { policies } = this.#recorder.state;
    const applied = policies.list();
    const gone = new Set([...applied.map(({ name }) => name), ...policies.removed()]);
    const shipped = defaultPolicies.filter(({ metadata }) => !gone.has(metadata.name));
    const views: PolicyView[] = [
      ...applied.map((record) => ({ ...record, source: 'applied' as const })),
      ...shipped.map((document) => ({
        name: document.metadata.name,
        source: 'shipped' as const,
        document: asJson(document),
      })),
    ];
    return views.toSorted((one, other) => one.name.localeCompare(other.name));
  }

  async remove(name: string, principal: string): Promise<void> {
    await this.#recorder.commit((note, at) => {
      if (!this.list().some((policy) => policy.name === name))
        throw new Refusal('not-found', [problems.notFound('policy', name)]);
      this.#recorder.state.policies.remove(name, at);
      note({ type: 'policy.removed', data: { policy: name, principal } });
    });
  }

  test(policies: readonly PolicyDocument[], principal: string): readonly PolicyVerdict[] {
    const { state } = this.#recorder;
    const tried = policies.length > 0 ? policies : this.#inForce([]);
    return state.clusters.list().flatMap(({ uid, name }) => {
      const document = state.revisions.newest(uid)?.document;
      if (document === undefined) return [];
      return tried
        .filter((policy) => speaksOf(policy, name))
        .flatMap((policy) => verdictsOf(policy, { name, document, principal }));
    });
  }

  /** What the policies in force say of a cluster; `brought` = those of the same file, which replace kept ones. */
  judge(cluster: Judged, brought: readonly PolicyDocument[] = []): Judgement {
    const found = objectionsOf(this.#inForce(brought), cluster);
    return {
      denials: found.filter(({ action }) => action === 'Deny').map((one) => problemOf(one, cluster)),
      warnings: found.filter(({ action }) => action === 'Warn').map((one) => problemOf(one, cluster)),
    };
  }

  /**
   * Judges again what an operation works towards, inside the transaction that sets it going once more: a policy may
   * have come since.
   * @throws Refusal of reason `invalid` with every denial
   */
  refuseDenied(operation: string, principal: string): void {
    const { state } = this.#recorder;
    const record = state.operations.get(operation);
    const cluster = record && state.clusters.get(record.cluster);
    const asked = record && state.revisions.get(record.cluster, record.revision);
    if (!record || !cluster || !asked) return;
    const isDelete = record.kind === 'delete';
    const before = isDelete ? asked : state.revisions.get(record.cluster, record.revision - 1);
    const document = isDelete ? null : asked.document;
    refuse(this.judge({ name: cluster.name, document, before: before?.document, principal }).denials);
  }

  /** Keeps a policy, inside a transaction; answers whether it is another than before. */
  keep(document: PolicyDocument, principal: string, note: Note, at: Instant): boolean {
    const { policies } = this.#recorder.state;
    const { name } = document.metadata;
    const record: PolicyRecord = { name, document: asJson(document), principal, updatedAt: at };
    const before = policies.list().find((known) => known.name === name);
    if (before !== undefined && JSON.stringify(before.document) === JSON.stringify(record.document))
      return false;
    policies.put(record);
    note({ type: 'policy.applied', data: { policy: name, principal } });
    return true;
  }

  #inForce(brought: readonly PolicyDocument[]): readonly PolicyDocument[] {
    const names = new Set(brought.map(({ metadata }) => metadata.name));
    // What was kept is a completed document of this kind; one that cannot be evaluated counts as broken.
    const kept = this.list().map(({ document }) => document as Json as PolicyDocument);
    return [...kept.filter(({ metadata }) => !names.has(metadata.name)), ...brought];
  }
}

/** @throws Refusal of reason `invalid` when there is any */
export function refuse(denials: readonly ProblemReport[]): void {
  const [first, ...others] = denials;
  if (first !== undefined) throw new Refusal('invalid', [first, ...others]);
}

const asJson = (document: PolicyDocument): JsonObject => JSON.parse(JSON.stringify(document)) as JsonObject;

const objectionsOf = (policies: readonly PolicyDocument[], cluster: Judged): readonly Objection[] =>
  judge(policies, cluster.name, {
    object: cluster.document,
    oldObject: cluster.before ?? null,
    request: { principal: cluster.principal, operation: operationOn(cluster) },
  });

function operationOn({ document, before }: Judged): PolicyOperation {
  if (document === null) return 'DELETE';
  return before === undefined ? 'CREATE' : 'UPDATE';
}

const outcomes = { Warn: 'warns', Deny: 'denies' } as const;

/** What a policy would say of a cluster that is there: of the same once more (or made anew), and of its end. */
function verdictsOf(
  policy: PolicyDocument,
  { name, document, principal }: Omit<Judged, 'before'>,
): PolicyVerdict[] {
  const before = document ?? undefined;
  const again = { name, document, principal, before: judges(policy, 'UPDATE') ? before : undefined };
  const end = { name, document: null, principal, before };
  return [again, end]
    .filter((judged) => judges(policy, operationOn(judged)))
    .map((judged) => {
      const objections = objectionsOf([policy], judged);
      return {
        policy: policy.metadata.name,
        cluster: name,
        operation: operationOn(judged),
        outcome: objections.length === 0 ? 'passes' : outcomes[policy.spec.action],
        objections: objections.map((objection) => problemOf(objection, judged)),
      };
    });
}

function problemOf({ policy, action, message, field }: Objection, judged: Judged): ProblemReport {
  const { name: cluster, document } = judged;
  const place = { document: `Cluster/${cluster}`, ...(field === undefined ? {} : { field }) };
  if (action === 'Warn')
    return {
      kind: 'user',
      code: 'POLICY-002',
      summary: `Policy ${policy}: ${message}`,
      remedy: 'Nothing is refused for it.',
      place,
    };
  if (document === null)
    return {
      kind: 'user',
      code: 'POLICY-001',
      summary: `Policy ${policy} refuses to let cluster ${cluster} be deleted: ${message}`,
      remedy: `Ask an administrator about the policy (remuda policy get ${policy}).`,
      place,
    };
  return {
    kind: 'user',
    code: 'POLICY-001',
    summary: `Policy ${policy} refuses cluster ${cluster}: ${message}`,
    remedy: `Change the cluster, or ask an administrator about the policy (remuda policy get ${policy}).`,
    place,
  };
}
