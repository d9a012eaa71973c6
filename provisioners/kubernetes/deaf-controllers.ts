import type { ControlPlaneAccess } from '../contract/ports/etcd.ts';
import type { ObjectReference } from '../contract/ports/kubernetes.ts';
import type { StepContext } from '../contract/step.ts';

/** The lock by which one kube-controller-manager of several leads. */
const lead = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  namespace: 'kube-system',
  name: 'kube-controller-manager',
} as const;

/**
 * Whether the controller-managers do not see a Service that is there: for each one they make Endpoints within a
 * second, empty ones too.
 */
export async function areControllersDeaf(
  { kubernetes }: StepContext,
  access: ControlPlaneAccess,
  service: Pick<ObjectReference, 'namespace' | 'name'>,
): Promise<boolean> {
  const [endpoints, lock] = await Promise.all([
    kubernetes.get(access, { ...service, apiVersion: 'v1', kind: 'Endpoints' }),
    kubernetes.get(access, lead),
  ]);
  return endpoints === undefined && lock !== undefined;
}

/**
 * Cures a leading controller-manager that has gone deaf: Kubernetes issue 97294, from 1.20 on. When the second master
 * joins and etcd has no leader for more than three seconds, the first API server ends all watches, and those that begin
 * then tell nothing for five to ten minutes (seen in three of four labs on a busy box). With another's name in the lock
 * the leader gives up after ten seconds and ends; the kubelet starts it again, and whoever leads next looks anew.
 */
export async function replaceLeadingControllers(
  context: StepContext,
  access: ControlPlaneAccess,
): Promise<void> {
  const { apiVersion, kind, ...metadata } = lead;
  context.log(
    'the controller-manager does not see new Services; its lead is handed over so that it looks anew',
  );
  await context.kubernetes.apply(access, [
    { apiVersion, kind, metadata, spec: { holderIdentity: 'remuda' } },
  ]);
}
