import type { MachineRef } from '../../provisioners/contract/machine.ts';
import type { Observed } from '../../provisioners/contract/observed.ts';
import type { Plan } from '../../provisioners/contract/plan.ts';
import { controlPlaneJoin } from '../../provisioners/kubernetes/steps/control-plane-join.ts';
import { tagOf } from '../../provisioners/kubernetes/versions.ts';
import type { ClusterDocument, ProviderDocument } from '../spec/documents.ts';
import { isEtcdApart } from '../spec/rules/etcd.ts';
import { settingsFor } from './cluster-plan.ts';
import { premisesOf } from './creation.ts';
import { about, planStep } from './planned-step.ts';

/** What a revival is planned from. */
export interface RevivalRequest {
  readonly desired: ClusterDocument;
  readonly provider: ProviderDocument;
  readonly observed: Observed;
  readonly revision: string;
  /** Masters whose join was begun and did not end well, by name. */
  readonly halfJoined: readonly string[];
}

/**
 * What there is to do when a cluster has fallen silent while a master joined: with two members etcd needs both, and the
 * second may be waiting for no more than a restart of its kubelet (complaint 5). Nothing else is planned on a cluster
 * that cannot be seen; when the join is through, all is planned anew. Undefined when no join is at fault. Pure.
 */
export function planRevival(request: RevivalRequest): Plan | undefined {
  const { desired: document, provider, observed, revision, halfJoined } = request;
  // A master that has no member of etcd is nobody's other half.
  if (isEtcdApart(document)) return undefined;
  if (observed.nodes !== undefined || observed.machines === undefined) return undefined;
  const reachable = observed.machines.flatMap(({ name, role, state }): MachineRef[] => {
    const reference = observed.references[name];
    return role === 'control-plane' && state === 'running' && reference !== undefined ? [reference] : [];
  });
  const joining = reachable.filter(({ name }) => halfJoined.includes(name));
  const serving = reachable.filter((master) => !joining.includes(master));
  if (joining.length === 0 || serving.length === 0) return undefined;
  const settings = settingsFor(document, provider);
  const access = { masters: serving, apiPort: settings.apiPort };
  return {
    kind: 'update',
    cluster: { uid: observed.cluster.uid, name: observed.cluster.name },
    premises: premisesOf(observed, revision, tagOf(document.spec.kubernetes.version)),
    steps: joining.map((machine) =>
      planStep(controlPlaneJoin, about(machine.name), { machine, settings, access }, []),
    ),
    destroys: [],
    notices: [
      ...observed.unseen,
      `${joining.map(({ name }) => name).join(', ')} was joining the control plane when the cluster fell silent: that is finished first, and everything else is planned when the cluster answers.`,
    ],
    changes: joining.map(
      ({ name }) => ({ action: 'change', subject: name, detail: 'finish its join' }) as const,
    ),
    isPartial: true,
  };
}
