import { z } from 'zod';
import type { ClusterIdentity } from '../../provisioners/contract/machine.ts';
import type { Observed } from '../../provisioners/contract/observed.ts';
import { Blocked } from '../../provisioners/contract/problem.ts';
import type { Plan, PlannedStep } from '../../provisioners/contract/plan.ts';
import { infrastructureRemove } from '../../provisioners/kubernetes/steps/infrastructure-remove.ts';
import { machineDestroy } from '../../provisioners/kubernetes/steps/machine-destroy.ts';
import { teardownProve } from '../../provisioners/kubernetes/steps/teardown-prove.ts';
import type { Released } from '../../provisioners/contract/released.ts';
import type { ClusterDocument, ProviderDocument } from '../spec/documents.ts';
import { premisesOf } from './creation.ts';
import {
  type DeletionWish,
  givingBackPolicy,
  givingBackSteps,
  noticesOfGivingBack,
  toldToProof,
} from './giving-back.ts';
import { about, aboutCluster, planStep } from './planned-step.ts';

/** What a deletion is planned from. */
export interface DeletionRequest extends DeletionWish {
  readonly cluster: ClusterIdentity;
  /** Completed with defaults; without it nothing is asked of the cluster's API. */
  readonly desired?: ClusterDocument;
  readonly provider: ProviderDocument;
  readonly observed: Observed;
  readonly revision: string;
  /** The plan that this one goes on from: what it was to remove is still to be proven gone. */
  readonly earlier?: Plan;
  /** What an earlier operation had found out of balancers and volumes when machines began to go. */
  readonly released?: readonly Released[];
  /** The journal knows that its control plane was made: it may have made things outside of its machines. */
  readonly wasServing?: boolean;
}

/** Machines in a stable order, workers before masters: so the API can still tell what goes on as long as possible. */
function inOrder(observed: Observed) {
  const machines = (observed.machines ?? []).toSorted((one, other) =>
    one.name.localeCompare(other.name, 'en', { numeric: true }),
  );
  // Without its etcd the API says nothing either.
  const isMaster = ({ role }: { role: string }): boolean => role !== 'worker';
  return { workers: machines.filter((one) => !isMaster(one)), masters: machines.filter(isMaster) };
}

/** The part of the proof's input that holds no facts. */
const expectedSchema = z.object({
  expected: z.array(z.object({ type: z.string(), id: z.string(), name: z.string() })),
});

interface Expected {
  readonly type: string;
  readonly id: string;
  readonly name: string;
}

/**
 * What the proof is about: everything seen now, and what an earlier plan of the same deletion saw. Without the latter
 * the proof would forget each machine as it goes, and would be another step each time somebody looks.
 */
function expectedOf(observed: Observed, earlier: Plan | undefined): Expected[] {
  const proof = earlier?.steps.find(({ kind }) => kind === teardownProve.kind);
  const before = proof === undefined ? [] : expectedSchema.parse(proof.input).expected;
  const { workers, masters } = inOrder(observed);
  const now = [...workers, ...masters].map(({ id, name }) => ({ type: 'machine', id, name }));
  const keyOf = ({ type, id }: Expected): string => `${type}/${id}`;
  const known = new Set(before.map(keyOf));
  return [...before, ...now.filter((entry) => !known.has(keyOf(entry)))];
}

/**
 * Removal of everything, from any half-built state: what it has outside of its machines by its own API where that
 * answers, all else without it. When there is nothing left, what is planned is the proof alone.
 * @throws Blocked when the provider could not be asked
 */
export function planDeletion(request: DeletionRequest): Plan {
  const { cluster, desired, observed, revision, earlier, released, wasServing = false, ...wish } = request;
  if (observed.machines === undefined)
    throw new Blocked(
      'PLAN-002',
      `The provider could not be asked what machines there are. ${observed.unseen.join(' ')}`.trim(),
      { remedy: 'Bring the provider back into reach, then delete again: nothing is removed on a guess.' },
    );
  const { workers, masters } = inOrder(observed);
  const destroy =
    (after: readonly string[]) =>
    ({ name }: { name: string }): PlannedStep =>
      planStep(machineDestroy, about(name), { name }, after);
  const policy = givingBackPolicy(desired, wish, earlier);
  const back = givingBackSteps(observed, desired, policy);
  const first = workers.map(destroy(back.map(({ id }) => id)));
  const second = masters.map(destroy([...back, ...first].map(({ id }) => id)));
  const machines = [...first, ...second];
  const last = [second, first, back].find(({ length }) => length > 0) ?? [];
  const remove = planStep(
    infrastructureRemove,
    aboutCluster,
    {},
    last.map(({ id }) => id),
  );
  const all = [...workers, ...masters];
  const expected = expectedOf(observed, earlier);
  const told = toldToProof(released, earlier);
  const proof = { expected, volumes: policy.volumes, released: told, wasServing };
  const prove = planStep(teardownProve, aboutCluster, proof, [remove.id]);
  const isBegun = expected.length > all.length;
  const isAbsent = observed.infrastructure.state === 'absent';
  return {
    kind: 'delete',
    cluster,
    premises: premisesOf(observed, revision, observed.apiVersion ?? 'unknown'),
    steps: [...back, ...machines, remove, prove],
    destroys: all.map(({ name }) => name),
    notices: [
      ...noticesOfGivingBack(observed, back, { ...policy, wasServing, isBegun }),
      ...(all.length > 0 ? ['Everything on the disks of these machines is lost.'] : []),
    ],
    changes: [
      ...all.map(({ name, role }) => ({ action: 'destroy', subject: name, detail: role }) as const),
      ...(isAbsent ? [] : [{ action: 'destroy', subject: 'cluster', detail: 'infrastructure' } as const]),
    ],
  };
}
