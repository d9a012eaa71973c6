import type { PlannedStep } from '../../provisioners/contract/plan.ts';
import { verifiedMark } from '../../provisioners/kubernetes/marks.ts';
import { controlPlaneJoin } from '../../provisioners/kubernetes/steps/control-plane-join.ts';
import { controlPlaneUpgrade } from '../../provisioners/kubernetes/steps/control-plane-upgrade.ts';
import { etcdMemberRemove } from '../../provisioners/kubernetes/steps/etcd-member-remove.ts';
import { etcdMemberUpgrade } from '../../provisioners/kubernetes/steps/etcd-member-upgrade.ts';
import { etcdMemberStart } from '../../provisioners/kubernetes/steps/etcd-member-start.ts';
import { kubeadmConfigUpload } from '../../provisioners/kubernetes/steps/kubeadm-config-upload.ts';
import { nodeCordon } from '../../provisioners/kubernetes/steps/node-cordon.ts';
import { backupSettings } from '../spec/backup.ts';
import { type BackupOrder, backupSteps, lateBackup, runningVersion, whyNoSnapshot } from './backup.ts';
import type { PlanContext } from './cluster-plan.ts';

/** A plan's steps, and what to say of the backup that goes before them. */
interface BackedUp {
  readonly steps: readonly PlannedStep[];
  readonly notices: readonly string[];
}

/** Steps that change who etcd's members are. */
const membership: ReadonlySet<string> = new Set([
  controlPlaneJoin.kind,
  etcdMemberStart.kind,
  etcdMemberRemove.kind,
  // Exchanges a member's program, and leaves its data to it.
  controlPlaneUpgrade.kind,
  etcdMemberUpgrade.kind,
]);

/**
 * Puts one backup of etcd before everything that touches the masters of a cluster that was finished once (DESIGN §5):
 * before members join or leave, before a new version's configuration is uploaded, and before a master is closed to pods.
 * What only prepares machines goes on beside it. Pure.
 *
 * Without a backup nothing of that begins: when its destination does not take it, the operation stops and can be
 * resumed. Where a master is dead, its replacement must not wait for somebody else's file server: then the backup goes
 * to the state disk. Where etcd has no majority, none can be taken, and none is waited for.
 */
export function withBackup(
  context: PlanContext,
  steps: readonly PlannedStep[],
  recipient: string | undefined,
): BackedUp {
  const { document, observed, difference, access } = context;
  const isFinished = context.first === undefined && observed.marks?.[verifiedMark] !== undefined;
  if (!isFinished || !steps.some(({ kind }) => membership.has(kind))) return { steps, notices: [] };
  const why =
    whyNoSnapshot(observed.voters) ?? (recipient === undefined ? 'there is no recovery key' : undefined);
  if (why !== undefined || recipient === undefined)
    return { steps, notices: [`No backup of etcd is taken first: ${why}.`] };
  const settings = backupSettings(document);
  const dead = deadMasters(context);
  const isRepair = dead.length > 0 && settings.destination.type !== 'stateDisk';
  const order: BackupOrder = {
    access,
    destination: isRepair ? { type: 'stateDisk' } : settings.destination,
    keep: settings.keep,
    kubernetesVersion: runningVersion(observed, document.spec.kubernetes.version),
    recipient,
  };
  const leaving = new Set(
    difference.leaving.filter(({ role }) => role === 'control-plane').map(({ name }) => name),
  );
  const isExit = ({ kind, subject }: PlannedStep): boolean =>
    kind === etcdMemberRemove.kind || (kind === nodeCordon.kind && leaving.has(subject));
  const waits = (step: PlannedStep): boolean =>
    membership.has(step.kind) || step.kind === kubeadmConfigUpload.kind || isExit(step);
  const [snapshot, ...prune] = backupSteps(order);
  // Masters leave when a window opens, which may be days from now: what is backed up now would be as old by then.
  const isLate = document.spec.maintenance.windows.length > 0 && steps.some(isExit);
  const late = isLate ? [lateBackup(order, [snapshot.id])] : [];
  const before = (step: PlannedStep): PlannedStep => {
    if (!waits(step)) return step;
    const backups = [snapshot, ...(isExit(step) ? late : [])].map(({ id }) => id);
    return { ...step, after: [...step.after, ...backups].toSorted() };
  };
  return {
    steps: [snapshot, ...prune, ...late, ...steps.map(before)],
    notices: isRepair
      ? [
          `${dead.join(', ')} ${dead.length === 1 ? 'does' : 'do'} not answer: etcd is backed up to the state disk of the appliance first, so that nothing waits for the server that backups usually go to.`,
        ]
      : [],
  };
}

/** Members of etcd that are not well, and masters that leave and do not answer. */
function deadMasters({ observed, difference }: PlanContext): string[] {
  const unwell = (observed.voters ?? []).filter(({ started, healthy }) => !started || !healthy);
  const silent = difference.leaving.filter(({ role, isAnswering }) => role !== 'worker' && !isAnswering);
  const names = [...unwell, ...silent].map(({ name }) => name).filter((name) => name !== '');
  return [...new Set(names)].toSorted();
}
