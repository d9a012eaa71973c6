import type { ControlPlaneAccess } from '../contract/ports/etcd.ts';
import type { KubernetesObject, KubernetesPort } from '../contract/ports/kubernetes.ts';
import {
  type KnownNode,
  type ServingRequest,
  servingRequestOf,
  whyNotServe,
} from './kubelet-serving-request.ts';

/** What was decided on one request. */
export interface ServingDecision {
  /** Name of the request. */
  readonly request: string;
  /** Who asked. */
  readonly username: string;
  /** Why it was denied; absent when it was approved. */
  readonly why?: string;
}

/** All requests for kubelets' serving certificates that there are; of one asker, where one is named. */
export async function servingRequests(
  kubernetes: Pick<KubernetesPort, 'list'>,
  access: ControlPlaneAccess,
  username?: string,
): Promise<ServingRequest[]> {
  const found = await kubernetes.list(access, {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
  });
  // Where a thousand have asked, each is told apart before it is read.
  return found
    .filter((object) => username === undefined || askerOf(object) === username)
    .flatMap((object) => servingRequestOf(object) ?? []);
}

function askerOf({ spec }: KubernetesObject): unknown {
  return typeof spec === 'object' && spec !== null && 'username' in spec ? spec.username : undefined;
}

/**
 * Approves a request or denies it, by the one rule there is. What is not a node's own is denied, so that it shows and is
 * not judged again; a kubelet that was denied asks anew by itself.
 */
export async function decideServing(
  kubernetes: Pick<KubernetesPort, 'decide'>,
  access: ControlPlaneAccess,
  request: ServingRequest,
  nodes: readonly KnownNode[],
): Promise<ServingDecision> {
  const why = whyNotServe(request, nodes);
  const { name, username } = request;
  if (why === undefined) {
    const message = 'Remuda: the node asks for its own name and addresses';
    await kubernetes.decide(access, name, { type: 'Approved', reason: 'OwnName', message });
    return { request: name, username };
  }
  await kubernetes.decide(access, name, { type: 'Denied', reason: 'NotItsOwn', message: `Remuda: ${why}` });
  return { request: name, username, why };
}
