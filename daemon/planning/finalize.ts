import { Blocked } from '../../provisioners/contract/problem.ts';
import { machineDestroy } from '../../provisioners/kubernetes/steps/machine-destroy.ts';
import type { IntentPlan, IntentRequest } from './intents.ts';
import { about, planStep } from './planned-step.ts';

/**
 * The end of an upgrade: what was kept for the way back is destroyed, and there is none from then on. Needs no API
 * server. Pure.
 * @throws Blocked when the provider could not be asked what there is
 */
export function planFinalize({ observed }: IntentRequest<'finalize'>): IntentPlan {
  const { machines, retired } = observed;
  if (machines === undefined)
    throw new Blocked(
      'PLAN-002',
      `The provider could not be asked what machines there are. ${observed.unseen.join(' ')}`.trim(),
      { remedy: 'See that the provider answers, then ask again.' },
    );
  const kept = machines.filter(({ name }) => retired[name]?.reason === 'upgraded' && retired[name].isFenced);
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
