import type { MachineRef, MachineRole } from '../../provisioners/contract/machine.ts';
import type { Observed } from '../../provisioners/contract/observed.ts';
import type { PlannedStep } from '../../provisioners/contract/plan.ts';
import type { ControlPlaneAccess } from '../../provisioners/contract/ports/etcd.ts';
import { Blocked, UserProblem } from '../../provisioners/contract/problem.ts';
import type { KeyRotation, RotationStage } from '../../provisioners/contract/secrets.ts';
import { digestOfCertificates, readAuthoritiesMark } from '../../provisioners/kubernetes/authority-trust.ts';
import type { ClusterSettings } from '../../provisioners/kubernetes/cluster-settings.ts';
import { authoritiesMark } from '../../provisioners/kubernetes/marks.ts';
import { authoritiesFollow } from '../../provisioners/kubernetes/steps/authorities-follow.ts';
import { authoritiesProve } from '../../provisioners/kubernetes/steps/authorities-prove.ts';
import { authoritiesPublish } from '../../provisioners/kubernetes/steps/authorities-publish.ts';
import { clusterAccessGrant } from '../../provisioners/kubernetes/steps/cluster-access-grant.ts';
import { controlPlaneVerify } from '../../provisioners/kubernetes/steps/control-plane-verify.ts';
import { kubeletAuthoritiesFollow } from '../../provisioners/kubernetes/steps/kubelet-authorities-follow.ts';
import { kubeletServingApprove } from '../../provisioners/kubernetes/steps/kubelet-serving-approve.ts';
import { settingsFor } from './cluster-plan.ts';
import { requireSight } from './difference.ts';
import type { IntentPlan, IntentRequest } from './request.ts';
import { about, aboutCluster, planStep } from './planned-step.ts';
import { keptForTheWayBack } from './upgrade.ts';

/**
 * Whether the keys of a cluster are where a stage may begin, or go on.
 * @throws UserProblem PLAN-080 where another stage comes first
 */
function requireStage(
  stage: RotationStage,
  rotation: KeyRotation | undefined,
  cluster: string,
  isDropped: boolean,
): void {
  const at = rotation?.stage;
  const comes: Readonly<Record<RotationStage, boolean>> = {
    trust: at !== 'reissue',
    reissue: at !== undefined,
    // One authority alone is believed: a drop was begun, and may have been cut.
    drop: at === 'reissue' || (at === undefined && isDropped),
  };
  if (comes[stage]) return;
  const next = at === undefined ? 'trust' : nextStage(at);
  const is =
    at === undefined
      ? 'no rotation has begun'
      : `the stage ${at} was begun on ${rotation?.since.slice(0, 10) ?? ''}`;
  throw new UserProblem('PLAN-080', `The authorities of ${cluster} cannot ${stage} now: ${is}`, {
    value: stage,
    remedy: `Run remuda certificates rotate ${cluster} --stage ${next} first.`,
  });
}

/** What comes after a stage of the keys. */
export const nextStage = (at: KeyRotation['stage']): RotationStage => (at === 'trust' ? 'reissue' : 'drop');

/** Machines on duty of a role, each of which must be reached. @throws Blocked PLAN-081 */
function everyMachine(
  { machines = [], references, retired, nodes = [] }: Observed,
  role: MachineRole,
): MachineRef[] {
  const onDuty = machines.filter((machine) => machine.role === role && retired[machine.name] === undefined);
  return onDuty
    .map(({ name, state }) => {
      const reference = references[name];
      const isThere = nodes.some((node) => node.name === name);
      if (state === 'running' && reference !== undefined && isThere) return reference;
      const why = state === 'running' ? 'it is no whole machine of the cluster yet' : `it is ${state}`;
      throw new Blocked('PLAN-081', `${name} cannot be told of the authorities: ${why}`, {
        machine: name,
        remedy: `Bring ${name} back, replace it, or apply the answer file first: who misses a stage is left behind by the next.`,
      });
    })
    .toSorted((one, other) => one.name.localeCompare(other.name, 'en', { numeric: true }));
}

/** The stage that the keys are at when the next one begins. */
const comesAfter: Readonly<Record<RotationStage, KeyRotation['stage'] | undefined>> = {
  trust: undefined,
  reissue: 'trust',
  drop: 'reissue',
};

interface Rotation {
  readonly stage: RotationStage;
  /** The stage begins: what goes on was proven when it began, and is half way by now. */
  readonly isNew: boolean;
  readonly settings: ClusterSettings;
  readonly access: ControlPlaneAccess;
  readonly masters: readonly MachineRef[];
  readonly workers: readonly MachineRef[];
}

/** Whether the stage would leave somebody behind: looked at before it begins, and as its first step. */
function proofOf({ stage, isNew, access, masters, workers }: Rotation): PlannedStep[] {
  if (stage === 'trust' || !isNew) return [];
  return [planStep(authoritiesProve, aboutCluster, { before: stage, masters, workers, access }, [])];
}

/** Of the steps of a plan, those that see whether the stage would leave somebody behind. */
export const proofsIn = (steps: readonly PlannedStep[]): readonly PlannedStep[] =>
  steps.filter(({ kind }) => kind === authoritiesProve.kind);

/** Masters one after another, each well before the next; then their kubelets likewise; then workers side by side. */
function rotationSteps(rotation: Rotation): PlannedStep[] {
  const { stage, settings, access, masters, workers } = rotation;
  const { endpoint } = settings;
  const steps: PlannedStep[] = proofOf(rotation);
  const last = (): string[] => steps.slice(-1).map(({ id }) => id);
  for (const machine of masters) {
    steps.push(planStep(authoritiesFollow, about(machine.name), { machine, settings, access }, last()));
    const proof = { machines: [machine], endpoint, access };
    steps.push(planStep(controlPlaneVerify, about(machine.name), proof, last()));
  }
  // The token with which a kubelet asks for its certificate runs out within a day.
  if (stage === 'reissue') steps.push(planStep(clusterAccessGrant, aboutCluster, { access }, last()));
  const ofKubelet = (machine: MachineRef, after: readonly string[]): PlannedStep[] => {
    const follow = planStep(kubeletAuthoritiesFollow, about(machine.name), { machine, endpoint }, [...after]);
    const approve = planStep(kubeletServingApprove, about(machine.name), { machine, access }, [follow.id]);
    return [follow, approve];
  };
  for (const machine of masters) {
    steps.push(...ofKubelet(machine, last()));
    const well = { id: `kubelet-of-${machine.name}`, subject: machine.name };
    steps.push(planStep(controlPlaneVerify, well, { machines: [machine], endpoint, access }, last()));
  }
  const ofWorkers = workers.map((machine) => ofKubelet(machine, last()));
  const ends = ofWorkers.flatMap((some) => some.slice(-1).map(({ id }) => id));
  const [machine] = masters;
  if (machine === undefined) throw new Error('everyMachine found no master');
  const telling = { machine, settings, access, exchangesPods: stage === 'trust' };
  const publish = planStep(authoritiesPublish, aboutCluster, telling, ends.length > 0 ? ends : last());
  return [...steps, ...ofWorkers.flat(), publish];
}

const changes: Readonly<Record<RotationStage, string>> = {
  trust: 'believes a new authority beside the one that signs',
  reissue: 'gets certificates that the new authority signs',
  drop: 'believes the new authority alone',
};

/** What people have to know of a stage before they agree. */
const notices = (stage: RotationStage, name: string): readonly string[] =>
  ({
    trust: [
      `Pods that were started before and speak to the API have to be started anew before the next stage, and people have to fetch their kubeconfigs anew: remuda kubeconfig ${name}. Those of Kubernetes and of Remuda are exchanged by it.`,
    ],
    reissue: [
      `Kubeconfigs that were fetched before the stage trust end with it: everybody fetches one anew (remuda kubeconfig ${name}).`,
      'While a kubelet asks for its certificates there are no logs and no exec of its pods for some seconds.',
    ],
    drop: [
      'Whatever the old authorities have signed is refused from then on, also certificates that people had the cluster sign for them. There is no way back to the old ones.',
    ],
  })[stage];

/**
 * One stage of a rotation of the authorities: everybody believes both, everything is signed by the new one, nobody believes
 * the old one any more (https://kubernetes.io/docs/tasks/tls/manual-rotation-of-ca-certificates/). All steps make what is
 * there follow the keys, so that a stage may be begun again, and the order of machines never matters. Pure.
 * @throws UserProblem PLAN-080, PLAN-082; Blocked PLAN-081, or when the cluster could not be seen
 */
export function planRotation({
  desired,
  provider,
  observed,
  keys,
  intent,
}: IntentRequest<'rotate'>): IntentPlan {
  const { stage } = intent;
  const { name } = observed.cluster;
  requireSight(observed, true);
  const told = readAuthoritiesMark(observed.marks?.[authoritiesMark])?.authorities;
  requireStage(stage, keys.rotation, name, told !== undefined);
  if (stage === 'drop' && told === digestOfCertificates(keys.caCertificate) && keys.rotation === undefined)
    return { intent, steps: [], destroys: [], notices: [], changes: [] };
  const kept = keptForTheWayBack(observed);
  if (kept.length > 0)
    throw new UserProblem(
      'PLAN-082',
      `${kept.join(', ')} ${kept.length === 1 ? 'is' : 'are'} kept for the way back of an upgrade, and would not know the new authorities`,
      { remedy: `End the upgrade first: remuda finalize ${name}, or remuda back ${name}.` },
    );
  const settings = settingsFor(desired, provider);
  const masters = everyMachine(observed, 'control-plane');
  const workers = everyMachine(observed, 'worker');
  if (masters.length === 0)
    throw new Blocked('PLAN-050', 'There is no master whose authorities could be rotated', {
      remedy: 'Apply the answer file first.',
    });
  const access = { masters, apiPort: settings.apiPort };
  const few =
    masters.length > 2
      ? []
      : ['With fewer than three masters the API is away for some seconds while one of them restarts.'];
  return {
    intent,
    steps: rotationSteps({
      stage,
      isNew: keys.rotation?.stage === comesAfter[stage],
      settings,
      access,
      masters,
      workers,
    }),
    destroys: [],
    notices: [...notices(stage, name), ...few],
    changes: [...masters, ...workers].map((machine) => ({
      action: 'change',
      subject: machine.name,
      detail: changes[stage],
    })),
  };
}
