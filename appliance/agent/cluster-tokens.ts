import type { ControlPlaneAccess } from '../../provisioners/contract/ports/etcd.ts';
import type {
  KubernetesObject,
  KubernetesPort,
  ObjectReference,
} from '../../provisioners/contract/ports/kubernetes.ts';
import { UserProblem } from '../../provisioners/contract/problem.ts';
import type { AgentOutgoing } from './protocol/outgoing.ts';
import type { ClusterAccount } from './protocol/questions.ts';
import { questionWork } from './questions.ts';
import type { PortsFactory } from './work.ts';

/** Namespace of the accounts that people get tokens of. */
const namespace = 'remuda-access';
const labels = { 'app.kubernetes.io/managed-by': 'remuda' };

/** Roles of Kubernetes that a token may be bound to; what the daemon asks for is checked again. */
const roles: ReadonlySet<string> = new Set(['cluster-admin', 'view']);

/** What answering needs. */
export interface TokenParts {
  readonly ports: PortsFactory;
  readonly epoch: number;
}

/** The questions about tokens of people inside clusters. No token is kept or logged. */
export function createTokenQuestions(
  parts: TokenParts,
): Pick<AgentOutgoing, 'cluster.token' | 'cluster.revoke-token'> {
  const portOf = ({ context }: ClusterAccount): KubernetesPort =>
    parts.ports(questionWork(parts, context)).kubernetes;
  return {
    async 'cluster.token'(request) {
      const kubernetes = portOf(request);
      const { id, principal, role, seconds } = request;
      const { requestToken } = kubernetes;
      if (!roles.has(role) || requestToken === undefined)
        throw new UserProblem('AGENT-040', `No token is given for the role ${role}.`, {
          remedy: 'Ask for a kubeconfig, or bind a role of your own inside the cluster.',
        });
      const access = accessOf(request);
      await kubernetes.apply(access, accountObjects(id, principal, role));
      return requestToken(access, { namespace, name: accountNamed(id) }, seconds);
    },
    async 'cluster.revoke-token'(request) {
      const kubernetes = portOf(request);
      const access = accessOf(request);
      await disarm(kubernetes, access, request.id);
      await kubernetes.remove(access, {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        namespace,
        name: accountNamed(request.id),
      });
      await kubernetes.remove(access, bindingReference(request.id));
      return { isGone: true };
    },
  };
}

/**
 * Takes the rights away first, in a way that works at once: API servers remember a token that they have seen for ten
 * seconds, and an object goes away only when the cluster's garbage collector gets to it.
 */
async function disarm(kubernetes: KubernetesPort, access: ControlPlaneAccess, id: string): Promise<void> {
  const binding = await kubernetes.get(access, bindingReference(id));
  if (binding === undefined) return;
  const { apiVersion, kind, metadata, roleRef } = binding;
  await kubernetes.apply(access, [
    { apiVersion, kind, metadata: { name: metadata.name, labels }, roleRef, subjects: [] },
  ]);
}

const accessOf = ({ masters, apiPort }: ClusterAccount): ControlPlaneAccess => ({ masters, apiPort });
const accountNamed = (id: string): string => `person-${id}`;
const bindingNamed = (id: string): string => `remuda:person-${id}`;
const bindingReference = (id: string): ObjectReference => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  name: bindingNamed(id),
});

function accountObjects(id: string, principal: string, role: string): readonly KubernetesObject[] {
  const annotations = { 'remuda.dev/principal': principal };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } },
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: accountNamed(id), namespace, labels, annotations },
      // Its token is asked for by us; none lies about in the cluster.
      automountServiceAccountToken: false,
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: bindingNamed(id), labels, annotations },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'ServiceAccount', name: accountNamed(id), namespace }],
    },
  ];
}
