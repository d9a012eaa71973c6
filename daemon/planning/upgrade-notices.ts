import { minorOf } from '../../provisioners/kubernetes/versions.ts';
import type { PlanContext } from './cluster-plan.ts';
import { isSealedOff } from './leaving-machine.ts';
import { directionOf } from './upgrade.ts';

/** What to know of an upgrade, and of the way back, before agreeing to it. */
export function noticesOfUpgrade({ document, observed, difference }: PlanContext): string[] {
  const direction = directionOf(document, observed);
  if (direction === 'none') return [];
  const { name } = document.metadata;
  const { version } = document.spec.kubernetes;
  if (direction === 'back')
    return [
      `The way back moves machines: what is in etcd stays as it is, and nothing written since the upgrade is lost.`,
    ];
  // Machines that are upgraded where they stand have notices of their own.
  if (difference.leaving.length === 0 && difference.outdated.length > 0) return [];
  const kept = difference.leaving.filter((machine) => machine.mode === 'off' && isSealedOff(machine));
  const isMinor = (observed.nodes ?? []).some(
    ({ kubeletVersion }) => minorOf(kubeletVersion) !== minorOf(version),
  );
  const lost =
    'From the first new master on, the backup of etcd that is taken before is the only way back: what is written after it would be lost.';
  if (isMinor) return [lost];
  if (kept.length === 0)
    return [
      'No machine of the old version is kept (spec.upgrade.keep): when the last of them has left there is no way back.',
    ];
  return [
    `${kept.map((machine) => machine.name).join(', ')} ${kept.length === 1 ? 'stays' : 'stay'} at the provider, sealed off and switched off, for the way back (remuda back ${name}) until the upgrade is finalized (remuda finalize ${name}); they go on costing what their disks cost.`,
  ];
}
