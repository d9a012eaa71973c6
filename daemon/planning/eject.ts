import type { PlannedStep } from '../../provisioners/contract/plan.ts';
import { clusterTiesRemove } from '../../provisioners/kubernetes/steps/cluster-ties-remove.ts';
import { machineTiesRemove } from '../../provisioners/kubernetes/steps/machine-ties-remove.ts';
import { providerRelease } from '../../provisioners/kubernetes/steps/provider-release.ts';
import { Blocked } from '../../provisioners/contract/problem.ts';
import { apiPortOf } from './api-port.ts';
import { requireSight } from './difference.ts';
import type { IntentPlan, IntentRequest } from './request.ts';
import { about, aboutCluster, planStep } from './planned-step.ts';

/**
 * A cluster is given away: what is Remuda's alone goes from its machines, from its API and from the provider, in this
 * order, so that it can be gone on with from wherever it stops. What runs is not touched. Pure.
 * @throws Blocked when provider or cluster could not be asked what there is, or a machine does not answer
 */
export function planEject({ observed, desired }: IntentRequest<'eject'>): IntentPlan {
  requireSight(observed, true);
  const { machines = [], nodes = [], references, retired } = observed;
  const isOff = (name: string): boolean => machines.find((one) => one.name === name)?.state === 'off';
  const kept = machines.filter(({ name }) => retired[name] !== undefined);
  const living = machines.filter(({ name }) => retired[name] === undefined && references[name] !== undefined);
  const dead = living.filter(({ name }) => isOff(name));
  if (dead.length > 0)
    throw new Blocked('EJECT-001', `${dead.map(({ name }) => name).join(', ')} is switched off`, {
      machine: dead[0]?.name ?? '',
      remedy: 'Switch it on or remove it first: what is given away must be whole, and Remuda must leave it.',
    });
  const masters = living.flatMap(({ name }) => {
    const reference = references[name];
    const isMaster = nodes.some((node) => node.name === name && node.controlPlane);
    return isMaster && reference !== undefined ? [reference] : [];
  });
  const machineSteps = living.flatMap(({ name }): PlannedStep[] => {
    const machine = references[name];
    return machine === undefined ? [] : [planStep(machineTiesRemove, about(name), { machine }, [])];
  });
  const access = { masters, apiPort: apiPortOf(desired) };
  const cluster = planStep(
    clusterTiesRemove,
    aboutCluster,
    { access },
    machineSteps.map(({ id }) => id),
  );
  const release = planStep(providerRelease, aboutCluster, {}, [cluster.id]);
  return {
    steps: [...machineSteps, cluster, release],
    destroys: [],
    notices: [...dutiesLeft, ...keptNotices(kept.map(({ name }) => name))],
    changes: [
      { action: 'change', subject: 'cluster', detail: 'lives on without Remuda, which forgets it' },
      ...living.map(
        ({ name, role }) => ({ action: 'change', subject: name, detail: `${role}, stays as it is` }) as const,
      ),
    ],
  };
}

/** What nobody does from then on. */
const dutiesLeft: readonly string[] = [
  'From then on nobody renews the certificates of this cluster, backs up its etcd, watches its health or approves serving certificates of its kubelets: the hand-over says how and until when.',
  'People who reach the cluster by way of Remuda (kubeconfigs with "remuda credential", tokens) cannot any more.',
];

const keptNotices = (names: readonly string[]): string[] =>
  names.length === 0
    ? []
    : [
        `${names.join(', ')} no longer belongs to the cluster and stays at the provider: remove it yourself, or finalize or apply before you eject.`,
      ];
