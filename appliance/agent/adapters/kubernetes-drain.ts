import type { ControlPlaneAccess } from '../../../provisioners/contract/ports/etcd.ts';
import type {
  Eviction,
  KubernetesObject,
  NodeVersion,
  PodReference,
} from '../../../provisioners/contract/ports/kubernetes.ts';
import type { Duration } from '../../../provisioners/contract/time.ts';
import type { Reply } from '../tunnel.ts';
import type { Api } from './kubernetes-api.ts';
import { refused, statusOf, type Status } from './kubernetes-refusal.ts';

/**
 * The API server's words when several budgets select one pod (pkg/registry/core/pod/storage/eviction.go): an internal
 * error by its status, though only a person who changes the budgets can end it.
 */
const severalBudgets = /more than one PodDisruptionBudget/u;

/** Cause in a Status that tells a budget's refusal from a server that has too much to do: both are 429. */
const budgetCause = 'DisruptionBudget';

const pathOf = ({ namespace, name }: PodReference): string =>
  `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;

const inSeconds = (duration: Duration): number => Math.ceil(duration / 1000);

/** What a deletion is bound to: this very pod, and no later one of its name. */
const optionsFor = ({ uid }: PodReference, gracePeriod: Duration | undefined): object => ({
  apiVersion: 'v1',
  kind: 'DeleteOptions',
  preconditions: { uid },
  ...(gracePeriod === undefined ? {} : { gracePeriodSeconds: inSeconds(gracePeriod) }),
});

/**
 * Why the pod may not go for now, in the API's own words; undefined when the answer means something else. A namespace
 * that is being deleted takes no evictions, and takes the pod along (kubectl drain waits for that, too).
 */
export function heldBy(reply: Reply): string | undefined {
  if (![403, 429, 500].includes(reply.status)) return undefined;
  const { message = '', details }: Status = statusOf(reply);
  const causes = details?.causes ?? [];
  if (reply.status === 500) return severalBudgets.test(message) ? message : undefined;
  const wanted = reply.status === 403 ? 'NamespaceTerminating' : budgetCause;
  const own = causes.filter(({ reason }) => reason === wanted);
  if (own.length === 0) return undefined;
  return [message, ...own.map(({ message: cause = '' }) => cause)].filter(Boolean).join(' ');
}

/** Whether this very pod is not there any more: gone, or another of its name. */
async function isGone(api: Api, access: ControlPlaneAccess, pod: PodReference): Promise<boolean> {
  const found = api.json(await api.ask(access, { method: 'GET', path: pathOf(pod) }));
  return found?.metadata['uid'] !== pod.uid;
}

/** One request that is bound to a pod's uid; a conflict about that uid means that the pod is gone. */
async function askPodToGo(
  api: Api,
  access: ControlPlaneAccess,
  pod: PodReference,
  request: { readonly method: string; readonly path: string; readonly body: string },
): Promise<Eviction> {
  const reply = await api.ask(access, request);
  if (reply.status === 404 || (reply.status >= 200 && reply.status < 300)) return { state: 'evicted' };
  const why = heldBy(reply);
  if (why !== undefined) return { state: 'refused', why };
  if (reply.status === 409 && (await isGone(api, access, pod))) return { state: 'evicted' };
  throw refused(reply, `the eviction of pod ${pod.namespace}/${pod.name}`);
}

/** {@link import('../../../provisioners/contract/ports/kubernetes.ts').KubernetesPort.evict} */
export async function evict(
  api: Api,
  access: ControlPlaneAccess,
  pod: PodReference,
  gracePeriod: Duration | undefined,
): Promise<Eviction> {
  const { namespace, name } = pod;
  const body = JSON.stringify({
    apiVersion: await api.evictionApi(access),
    kind: 'Eviction',
    metadata: { namespace, name },
    deleteOptions: optionsFor(pod, gracePeriod),
  });
  return askPodToGo(api, access, pod, { method: 'POST', path: `${pathOf(pod)}/eviction`, body });
}

/** {@link import('../../../provisioners/contract/ports/kubernetes.ts').KubernetesPort.deletePod} */
export async function deletePod(
  api: Api,
  access: ControlPlaneAccess,
  pod: PodReference,
  gracePeriod: Duration | undefined,
): Promise<void> {
  const body = JSON.stringify(optionsFor(pod, gracePeriod));
  await askPodToGo(api, access, pod, { method: 'DELETE', path: pathOf(pod), body });
}

/** {@link import('../../../provisioners/contract/ports/kubernetes.ts').KubernetesPort.disruptionBudgets} */
export const listBudgets = async (api: Api, access: ControlPlaneAccess): Promise<KubernetesObject[]> =>
  api.list(access, { apiVersion: await api.evictionApi(access), kind: 'PodDisruptionBudget' });

/** {@link import('../../../provisioners/contract/ports/kubernetes.ts').KubernetesPort.setUnschedulable} */
export async function setUnschedulable(
  api: Api,
  access: ControlPlaneAccess,
  node: NodeVersion & {
    readonly isUnschedulable: boolean;
    readonly annotations: Readonly<Record<string, string | null>>;
  },
): Promise<'set' | 'outdated'> {
  const { name, resourceVersion, isUnschedulable, annotations } = node;
  const reply = await api.ask(access, {
    method: 'PATCH',
    path: `/api/v1/nodes/${encodeURIComponent(name)}?fieldManager=remuda`,
    contentType: 'application/merge-patch+json',
    // False is written as nobody having said anything, as kubectl uncordon does.
    body: JSON.stringify({
      metadata: { resourceVersion, annotations },
      spec: { unschedulable: isUnschedulable ? true : null },
    }),
  });
  if (reply.status === 404 || reply.status === 409) return 'outdated';
  if (reply.status !== 200) throw refused(reply, `Node ${name}`);
  return 'set';
}
