import type { Json } from '../../provisioners/contract/json.ts';
import type { ControlPlaneAccess } from '../../provisioners/contract/ports/etcd.ts';
import type { Observed } from '../../provisioners/contract/observed.ts';
import {
  factIfKnown,
  type FactReference,
  type Plan,
  type PlannedStep,
} from '../../provisioners/contract/plan.ts';
import { minutes } from '../../provisioners/contract/time.ts';
import {
  type Released,
  releasedSchema,
  type ReleasePolicy,
  releasePolicySchema,
} from '../../provisioners/contract/released.ts';
import { claimsRelease } from '../../provisioners/kubernetes/steps/claims-release.ts';
import { newWorkRefuse } from '../../provisioners/kubernetes/steps/new-work-refuse.ts';
import { servicesRelease } from '../../provisioners/kubernetes/steps/services-release.ts';
import { teardownProve } from '../../provisioners/kubernetes/steps/teardown-prove.ts';
import type { ClusterDocument } from '../spec/documents.ts';
import { parseDuration } from '../spec/schema/quantity-syntax.ts';
import { apiPortOf } from './api-port.ts';
import { aboutCluster, planStep } from './planned-step.ts';

/** What somebody chose for one deletion, instead of what the document says. */
export interface DeletionWish {
  readonly volumes?: 'retain' | 'delete';
  readonly whenBlocked?: 'wait' | 'skip';
}

/** How a deletion deals with what a cluster has outside of its machines. */
export interface GivingBackPolicy {
  readonly volumes: 'retain' | 'delete';
  readonly release: ReleasePolicy;
}

const usual: GivingBackPolicy = {
  volumes: 'retain',
  release: { whenBlocked: 'wait', skipAfter: minutes(10) },
};

/** What was chosen when the deletion that goes on now was asked for. */
function chosenBefore(earlier: Plan | undefined): ReleasePolicy['whenBlocked'] | undefined {
  const step = earlier?.steps.find(({ kind }) => kind === servicesRelease.kind);
  const input = step?.input as { readonly policy?: Json } | undefined;
  return releasePolicySchema.safeParse(input?.policy).data?.whenBlocked;
}

/** The document's word, and over it the word of whoever deletes. */
export function givingBackPolicy(
  desired: ClusterDocument | undefined,
  wish: DeletionWish,
  earlier: Plan | undefined,
): GivingBackPolicy {
  const deletion = desired?.spec.deletion;
  const skipAfter = deletion === undefined ? usual.release.skipAfter : parseDuration(deletion.skipAfter);
  return {
    volumes: wish.volumes ?? deletion?.volumes ?? usual.volumes,
    release: {
      whenBlocked:
        wish.whenBlocked ?? chosenBefore(earlier) ?? deletion?.whenBlocked ?? usual.release.whenBlocked,
      skipAfter,
    },
  };
}

/** Masters that were met and are still at the provider; those that leave are asked last. */
function accessOf(observed: Observed, desired: ClusterDocument | undefined): ControlPlaneAccess | undefined {
  const masters = (observed.machines ?? [])
    .filter(({ role }) => role === 'control-plane')
    .toSorted((one, other) => one.name.localeCompare(other.name, 'en', { numeric: true }))
    .toSorted((one, other) => Number(one.name in observed.retired) - Number(other.name in observed.retired))
    .flatMap(({ name }) => observed.references[name] ?? []);
  if (desired === undefined || observed.nodes === undefined || masters.length === 0) return undefined;
  return { masters, apiPort: apiPortOf(desired) };
}

/**
 * What a living cluster gives back before its machines go: no new Services and claims, then those that are there. Empty
 * when its API does not answer.
 */
export function givingBackSteps(
  observed: Observed,
  desired: ClusterDocument | undefined,
  { volumes, release: policy }: GivingBackPolicy,
): PlannedStep[] {
  const access = accessOf(observed, desired);
  if (access === undefined) return [];
  const refuse = planStep(newWorkRefuse, aboutCluster, { access }, []);
  return [
    refuse,
    planStep(servicesRelease, aboutCluster, { access, policy }, [refuse.id]),
    planStep(claimsRelease, aboutCluster, { access, policy, volumes }, [refuse.id]),
  ];
}

/** Lists that an earlier operation had proven, as the proof of the plan that this one goes on from carries them. */
function carried(earlier: Plan | undefined): Released[] {
  const proof = earlier?.steps.find(({ kind }) => kind === teardownProve.kind);
  const { released = [] } = (proof?.input ?? {}) as { readonly released?: readonly Json[] };
  return released.flatMap((item) => releasedSchema.safeParse(item).data ?? []);
}

/**
 * What the proof is told of balancers and volumes: what this operation finds out, and `before` it another one, when its
 * machines had begun to go.
 */
export function toldToProof(
  before: readonly Released[] | undefined,
  earlier: Plan | undefined,
): (Released | FactReference)[] {
  return [
    ...(before ?? carried(earlier)),
    factIfKnown(servicesRelease, aboutCluster.id, 'lists'),
    factIfKnown(claimsRelease, aboutCluster.id, 'lists'),
  ];
}

/** What somebody should know before agreeing. */
export function noticesOfGivingBack(
  observed: Observed,
  steps: readonly PlannedStep[],
  {
    volumes,
    wasServing,
    isBegun,
  }: GivingBackPolicy & { readonly wasServing: boolean; readonly isBegun: boolean },
): string[] {
  if (steps.length > 0)
    return [
      volumes === 'retain'
        ? 'Volumes of claims are kept and listed with their handles (deletion.volumes: retain).'
        : 'Volumes of claims are deleted with all they hold, but for those marked Retain in Kubernetes.',
    ];
  if (observed.nodes !== undefined || (observed.machines?.length ?? 0) === 0) return [];
  const told = 'The API does not answer: the machines are removed without asking Kubernetes.';
  if (!wasServing || isBegun) return [told];
  return [
    told,
    'Its Services and volume claims cannot be looked at. Load balancers and volumes are found at the provider by their tags alone; what only the API knew is listed as left.',
    'Volumes on the disks of these machines (local, hostPath) are lost with them.',
  ];
}
