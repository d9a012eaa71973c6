import type { PlanChange } from '../../provisioners/contract/plan.ts';
import { minorFor } from '../../provisioners/kubernetes/versions.ts';
import type { IntentRequest } from './request.ts';
import type { RestoreMachines } from './restore-machines.ts';
import type { RestoreTarget } from './restore-target.ts';

type Request = IntentRequest<'restore'>;

const etcdOf = (version: string): string => /etcd:(\d+\.\d+)/.exec(minorFor(version).images.etcd)?.[1] ?? '';

/** Whether this minor's etcd brings a tool that raises revisions: etcdutl from 3.5.10 on. */
const canBump = (version: string): boolean => Number(etcdOf(version).split('.')[1]) >= 6;

function lossOf({ intent: { source } }: Request, target: RestoreTarget): string[] {
  if (source.from === 'survivor')
    return [
      `The cluster goes on with the data of ${target.name}: what was written elsewhere and had not reached ${target.name} when the others were lost is lost.`,
    ];
  return [
    `The cluster goes back to ${source.at} (revision ${source.revision} of etcd): whatever was written since then is lost, also Secrets, tokens and Leases. Pods that were started since are ended, and pods that were ended since are started.`,
    ...(source.isKnown
      ? []
      : [
          `Remuda's journal knows nothing of the backup ${source.id}: whoever could write at its destination could have made it.`,
        ]),
  ];
}

/** Who comes back to the new etcd cluster, and when. */
function membersText({ isEtcdApart, holders }: RestoreMachines, target: RestoreTarget): string {
  const others = holders.filter(({ name }) => name !== target.name).map(({ name }) => name);
  if (others.length > 0)
    return `${others.join(', ')} ${others.length === 1 ? 'joins' : 'join'} the new etcd cluster empty, one after another; that is planned when the API answers.`;
  return `The ${isEtcdApart ? 'machines of etcd' : 'masters'} that are missing then are made, and join; that is planned when the API answers.`;
}

/** Where etcd stands apart: whom API servers ask, and until when. */
function apartText(
  { desired }: Request,
  { isEtcdApart }: RestoreMachines,
  { name }: RestoreTarget,
): string[] {
  if (!isEtcdApart || desired.spec.etcd.replicas === 1) return [];
  return [
    `API servers ask etcd on ${name} alone until the others have joined; then each API server is started once more, one after another, and asks all of them.`,
  ];
}

/** What is to be known before somebody agrees. */
export function restoreNotices(request: Request, found: RestoreMachines, target: RestoreTarget): string[] {
  const { desired, intent } = request;
  const { version } = desired.spec.kubernetes;
  const holder = found.isEtcdApart ? 'machine of etcd' : 'master';
  return [
    ...lossOf(request, target),
    'The Kubernetes API is away from the first stop until the control plane is started again; pods that run go on meanwhile.',
    ...(canBump(version)
      ? []
      : [
          `etcd ${etcdOf(version)} cannot raise its revisions, so whoever watches the API from a newer one hears nothing until he begins anew. Kubelets and the pods of kube-system are restarted; restart operators and controllers of your own yourself.`,
        ]),
    ...(found.holders.length === 0
      ? []
      : [
          `The former data is kept on each ${holder} in /var/lib/remuda/restore/${intent.key}; remove it when you are sure.`,
        ]),
    membersText(found, target),
    ...apartText(request, found, target),
  ];
}

/** What it makes, changes and destroys, in the user's terms. */
export function restoreChanges(
  { intent: { source } }: Request,
  { isEtcdApart, lost }: RestoreMachines,
  { name, newMaster, newEtcd }: RestoreTarget,
): PlanChange[] {
  const from = source.from === 'backup' ? `the backup ${source.id}` : `the data of ${source.machine}`;
  const made = (subject: string | undefined, detail: string): PlanChange[] =>
    subject === undefined ? [] : [{ action: 'create', subject, detail }];
  return [
    ...made(newEtcd, 'etcd, for the restored data'),
    ...made(
      newMaster,
      isEtcdApart ? 'control-plane, to serve the data' : 'control-plane, for the restored data',
    ),
    { action: 'change', subject: 'cluster', detail: `etcd's data from ${from}, on ${name}` },
    ...lost.map(
      (machine): PlanChange => ({
        action: 'destroy',
        subject: machine.name,
        detail: `${machine.role}, lost for ever`,
      }),
    ),
  ];
}
