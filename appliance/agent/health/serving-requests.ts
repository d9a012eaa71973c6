import type { HealthLook } from '../../../provisioners/contract/health.ts';
import type { Ports } from '../../../provisioners/contract/ports.ts';
import { Problem } from '../../../provisioners/contract/problem.ts';
import { decideServing, servingRequests } from '../../../provisioners/kubernetes/kubelet-serving-decision.ts';
import {
  type KnownNode,
  type ServingRequest,
  userOfNode,
} from '../../../provisioners/kubernetes/kubelet-serving-request.ts';
import type { ServingDenial, WatchedCluster } from '../protocol/watch.ts';

/** At most so many are told in one report: whoever asks for more is told of with the next. */
const mostTold = 50;

/**
 * Decides on what kubelets ask to serve with between operations, when their certificates near their end: by the same rule
 * as the step that lets them in. Answers every request that is denied, by whomever. While an operation works, who asks
 * may be a machine that is not known here yet: such requests are left to its steps.
 */
export async function judgeServing(
  ports: Pick<Ports, 'kubernetes'>,
  cluster: WatchedCluster,
  { apiServers }: Pick<HealthLook, 'apiServers'>,
): Promise<readonly ServingDenial[]> {
  const { references, apiPort, isChanging } = cluster;
  const masters = Object.values(references).filter(({ name }) => apiServers[name] !== undefined);
  if (masters.length === 0) return [];
  const access = { masters, apiPort };
  const nodes = Object.values(references).map(
    ({ name, address }): KnownNode => ({ name, addresses: [address] }),
  );
  const names = new Set(nodes.map(({ name }) => userOfNode(name)));
  try {
    const denied: ServingDenial[] = [];
    for (const request of await servingRequests(ports.kubernetes, access)) {
      if (request.isDecided) denied.push(...denialOf(request));
      else if (!isChanging || names.has(request.username)) {
        const { why, username } = await decideServing(ports.kubernetes, access, request, nodes);
        if (why !== undefined) denied.push({ request: request.name, username, why });
      }
    }
    return denied.slice(0, mostTold);
  } catch (error) {
    // Whoever asks goes on asking, and is answered at the next look.
    if (error instanceof Problem || error instanceof DOMException) return [];
    throw error;
  }
}

const denialOf = ({ name, username, isDenied, message }: ServingRequest): ServingDenial[] =>
  isDenied ? [{ request: name, username, why: message?.replace(/^Remuda: /, '') ?? 'nobody says why' }] : [];
