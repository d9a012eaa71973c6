import { machineDestroy } from '../../provisioners/kubernetes/steps/machine-destroy.ts';
import { requireSight } from './difference.ts';
import type { IntentPlan, IntentRequest } from './request.ts';
import { about, planStep } from './planned-step.ts';
import { keptForTheWayBack } from './upgrade.ts';

/**
 * The end of an upgrade: what was kept for the way back is destroyed, and there is none from then on. A machine of which
 * Kubernetes still has a Node is on its way out yet: its upgrade goes on first, or the Node would stay for ever. Pure.
 * @throws Blocked when provider or cluster could not be asked what there is
 */
export function planFinalize({ observed }: IntentRequest<'finalize'>): IntentPlan {
  requireSight(observed, true);
  const { machines = [], nodes = [] } = observed;
  const names = keptForTheWayBack(observed);
  const kept = machines.filter(
    ({ name }) => names.includes(name) && !nodes.some((node) => node.name === name),
  );
  return {
    steps: kept.map(({ name }) => planStep(machineDestroy, about(name), { name }, [], 'removal')),
    destroys: kept.map(({ name }) => name),
    notices:
      kept.length === 0
        ? []
        : ['From then on there is no way back to the version before, but for a backup of etcd.'],
    changes: kept.map(({ name, role }) => ({
      action: 'destroy',
      subject: name,
      detail: `${role}, kept since the upgrade`,
    })),
  };
}
