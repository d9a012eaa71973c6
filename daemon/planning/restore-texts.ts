import type { PlanChange } from '../../provisioners/contract/plan.ts';
import { minorFor } from '../../provisioners/kubernetes/versions.ts';
import type { IntentRequest } from './intents.ts';
import type { RestoreMasters } from './restore-masters.ts';

type Request = IntentRequest<'restore'>;

/** Where the data goes. */
interface Target {
  readonly name: string;
  /** It is made for it, because no master is left. */
  readonly isNew: boolean;
}

const etcdOf = (version: string): string => /etcd:(\d+\.\d+)/.exec(minorFor(version).images.etcd)?.[1] ?? '';

/** Whether this minor's etcd brings a tool that raises revisions: etcdutl from 3.5.10 on. */
const canBump = (version: string): boolean => Number(etcdOf(version).split('.')[1]) >= 6;

function lossOf({ intent: { source } }: Request, target: Target): string[] {
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

/** What is to be known before somebody agrees. */
export function restoreNotices(request: Request, masters: RestoreMasters, target: Target): string[] {
  const { desired, intent } = request;
  const { version } = desired.spec.kubernetes;
  const others = masters.answering.filter(({ name }) => name !== target.name).map(({ name }) => name);
  return [
    ...lossOf(request, target),
    'The Kubernetes API is away from the first stop until the control plane is started again; pods that run go on meanwhile.',
    ...(canBump(version)
      ? []
      : [
          `etcd ${etcdOf(version)} cannot raise its revisions, so whoever watches the API from a newer one hears nothing until he begins anew. Kubelets and the pods of kube-system are restarted; restart operators and controllers of your own yourself.`,
        ]),
    ...(masters.answering.length === 0
      ? []
      : [
          `The former data is kept on each master in /var/lib/remuda/restore/${intent.key}; remove it when you are sure.`,
        ]),
    others.length === 0
      ? 'The masters that are missing then are made, and join; that is planned when the API answers.'
      : `${others.join(', ')} ${others.length === 1 ? 'joins' : 'join'} the new etcd cluster empty, one after another; that is planned when the API answers.`,
  ];
}

/** What it makes, changes and destroys, in the user's terms. */
export function restoreChanges(
  { intent: { source } }: Request,
  { lost }: RestoreMasters,
  target: Target,
): PlanChange[] {
  const from = source.from === 'backup' ? `the backup ${source.id}` : `the data of ${source.machine}`;
  return [
    ...(!target.isNew
      ? []
      : [
          { action: 'create', subject: target.name, detail: 'control-plane, for the restored data' } as const,
        ]),
    { action: 'change', subject: 'cluster', detail: `etcd's data from ${from}, on ${target.name}` },
    ...lost.map(
      (name): PlanChange => ({ action: 'destroy', subject: name, detail: 'control-plane, lost for ever' }),
    ),
  ];
}
