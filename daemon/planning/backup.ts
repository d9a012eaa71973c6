import {
  type BackupDestination,
  type BackupRetention,
  backupWords,
} from '../../provisioners/contract/backup.ts';
import type { EtcdMember, Observed } from '../../provisioners/contract/observed.ts';
import { Blocked } from '../../provisioners/contract/problem.ts';
import type { PlannedStep, Referable } from '../../provisioners/contract/plan.ts';
import type { ControlPlaneAccess } from '../../provisioners/contract/ports/etcd.ts';
import { etcdSnapshot } from '../../provisioners/kubernetes/steps/etcd-snapshot.ts';
import { etcdSnapshotPrune } from '../../provisioners/kubernetes/steps/etcd-snapshot-prune.ts';
import { tagOf } from '../../provisioners/kubernetes/versions.ts';
import { backupSettings } from '../spec/backup.ts';
import { apiPortOf } from './api-port.ts';
import { etcdReferences } from './etcd-machines.ts';
import type { IntentPlan, IntentRequest } from './request.ts';
import { aboutCluster, aboutPart, planStep } from './planned-step.ts';

/** Why etcd can give no snapshot now; undefined when it can. */
export function whyNoSnapshot(voters: readonly EtcdMember[] | undefined): string | undefined {
  if (voters === undefined) return 'etcd did not say who its members are';
  const members = voters.filter(({ learner }) => !learner);
  const unwell = members.filter(({ started, healthy }) => !started || !healthy);
  if (members.length > 0 && unwell.length * 2 < members.length) return undefined;
  const names = unwell.map(({ name, id }) => (name === '' ? id : name)).join(', ');
  return `etcd has no majority: ${names === '' ? 'nobody' : names} of ${members.length} ${members.length === 1 ? 'member is' : 'members are'} not well`;
}

/** What a snapshot is taken with, and which of the old ones stay. */
export interface BackupOrder {
  readonly access: Referable<ControlPlaneAccess>;
  readonly destination: BackupDestination;
  readonly keep: BackupRetention;
  /** With the `v`: what runs. */
  readonly kubernetesVersion: string;
  /** The recovery key's. */
  readonly recipient: string;
}

/** One more snapshot, which waits for a maintenance window with what comes after it. */
export function lateBackup(order: BackupOrder, after: readonly string[]): PlannedStep {
  const { access, destination, kubernetesVersion, recipient } = order;
  const input = { access, destination, kubernetesVersion, recipients: [recipient], isDisturbing: true };
  return planStep(etcdSnapshot, aboutPart('before masters leave'), input, after);
}

/** A snapshot, and then the old ones away that nothing keeps: never before the new one counts. */
export function backupSteps(order: BackupOrder): readonly [snapshot: PlannedStep, ...prune: PlannedStep[]] {
  const { access, destination, keep, kubernetesVersion, recipient } = order;
  const input = { access, destination, kubernetesVersion, recipients: [recipient] };
  const snapshot = planStep(etcdSnapshot, aboutCluster, input, []);
  // Without a rule all are kept.
  if (Object.keys(keep).length === 0) return [snapshot];
  return [
    snapshot,
    planStep(etcdSnapshotPrune, aboutCluster, { destination, retention: keep }, [snapshot.id]),
  ];
}

/** The version that the snapshot is of: what runs, which may not be what is asked for yet. */
export const runningVersion = ({ apiVersion }: Observed, asked: string): string => apiVersion ?? tagOf(asked);

const cannot = (name: string, why: string, unseen: readonly string[]): Blocked =>
  new Blocked(
    'PLAN-040',
    `etcd of cluster ${name} cannot be backed up now: ${why}. ${unseen.join(' ')}`.trim(),
    {
      remedy:
        'Bring the machines back that are named, then ask again. If a majority is lost for good, that is a restore: remuda restore.',
    },
  );

/**
 * A backup of etcd, on demand or by schedule, to where the document says or where the intent does. Pure.
 * @throws Blocked PLAN-040 when etcd can give none, PLAN-041 without a recovery key
 */
export function planBackup(request: IntentRequest<'backup'>): IntentPlan {
  const { intent, desired, observed, recoveryRecipient } = request;
  const { name } = desired.metadata;
  const settings = backupSettings(desired);
  if (recoveryRecipient === undefined)
    throw new Blocked('PLAN-041', 'There is no recovery key that a backup could be encrypted to', {
      remedy: 'Start the daemon with a recovery key: it makes one on its first start.',
    });
  const masters = (observed.nodes ?? [])
    .filter(({ controlPlane }) => controlPlane)
    .toSorted((one, other) => Number(other.ready) - Number(one.ready))
    .flatMap(({ name: master }) => observed.references[master] ?? []);
  // Without a majority no API server answers either: who is missing says more than that no master was seen.
  const why = observed.voters === undefined ? undefined : whyNoSnapshot(observed.voters);
  if (why !== undefined) throw cannot(name, why, observed.unseen);
  if (masters.length === 0) throw cannot(name, 'no master of it could be seen', observed.unseen);
  if (observed.voters === undefined)
    throw cannot(name, 'etcd did not say who its members are', observed.unseen);
  const destination = intent.destination ?? settings.destination;
  return {
    steps: backupSteps({
      access: { masters, apiPort: apiPortOf(desired), ...etcdReferences(observed) },
      destination,
      keep: settings.keep,
      kubernetesVersion: runningVersion(observed, desired.spec.kubernetes.version),
      recipient: recoveryRecipient,
    }),
    destroys: [],
    notices: [],
    changes: [
      { action: 'create', subject: 'backup', detail: `of etcd and the keys, at ${backupWords(destination)}` },
    ],
  };
}
