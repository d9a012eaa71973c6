import { z } from 'zod';
import type { ControlPlaneAccess } from '../contract/ports/etcd.ts';
import type { KubernetesObject, PodReference } from '../contract/ports/kubernetes.ts';
import type { StepContext } from '../contract/step.ts';
import { nodeOf } from './control-plane-state.ts';

const podSchema = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string().default('default'),
    uid: z.string(),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
    ownerReferences: z
      .array(z.object({ kind: z.string(), name: z.string(), controller: z.boolean().optional() }))
      .default([]),
    deletionTimestamp: z.string().optional(),
    deletionGracePeriodSeconds: z.number().optional(),
    finalizers: z.array(z.string()).default([]),
  }),
  spec: z.object({
    volumes: z.array(z.looseObject({ name: z.string(), emptyDir: z.unknown().optional() })).default([]),
  }),
  status: z
    .object({
      phase: z.string().optional(),
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
    })
    .default({ conditions: [] }),
});

/** A pod on a node that a drain has to do with. */
export interface NodePod {
  /** `namespace/name`. */
  readonly title: string;
  readonly reference: PodReference;
  readonly labels: Readonly<Record<string, string>>;
  readonly isReady: boolean;
  /** Its work is over: nobody misses it, whatever made it. */
  readonly isFinished: boolean;
  /** It does nobody any good yet or any more: the API server asks no budget. */
  readonly isIdle: boolean;
  /** Nothing would make it again elsewhere. */
  readonly isUnmanaged: boolean;
  /** Its volumes whose content goes with it. */
  readonly emptyDirs: readonly string[];
  /** When it must have ended, once it was told to go. */
  readonly dueBy?: string;
  /** When it was told to go. */
  readonly toldAt?: string;
  readonly finalizers: readonly string[];
}

/** kubelet's mark of the image in the API of a static pod, which the API cannot end. */
const mirrorAnnotation = 'kubernetes.io/config.mirror';

function toldAt({ metadata }: z.infer<typeof podSchema>): string | undefined {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = metadata;
  if (deletionTimestamp === undefined) return undefined;
  return new Date(Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000).toISOString();
}

/**
 * The pod as a drain sees it; undefined for those it leaves where they are: mirrors of static pods, and pods of
 * DaemonSets, whose controller heeds no cordon and would make them again at once.
 */
function drainable(object: KubernetesObject): NodePod | undefined {
  const pod = podSchema.parse(object);
  const { name, namespace, uid, labels, annotations, ownerReferences, finalizers } = pod.metadata;
  const controller = ownerReferences.find((owner) => owner.controller === true);
  if (annotations[mirrorAnnotation] !== undefined || controller?.kind === 'DaemonSet') return undefined;
  const { phase = 'Unknown', conditions } = pod.status;
  const told = toldAt(pod);
  return {
    title: `${namespace}/${name}`,
    reference: { namespace, name, uid },
    labels,
    isReady: conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
    isFinished: phase === 'Succeeded' || phase === 'Failed',
    isIdle: ['Pending', 'Succeeded', 'Failed'].includes(phase),
    isUnmanaged: controller === undefined,
    emptyDirs: pod.spec.volumes.filter(({ emptyDir }) => emptyDir != null).map((volume) => volume.name),
    finalizers,
    ...(pod.metadata.deletionTimestamp === undefined ? {} : { dueBy: pod.metadata.deletionTimestamp }),
    ...(told === undefined ? {} : { toldAt: told }),
  };
}

const podsOn = (
  context: StepContext,
  access: ControlPlaneAccess,
  node: string,
): Promise<KubernetesObject[]> =>
  context.kubernetes.list(access, { apiVersion: 'v1', kind: 'Pod', fieldSelector: `spec.nodeName=${node}` });

/** Every pod on a node, also those that no drain moves. */
export const allPods = async (
  context: StepContext,
  access: ControlPlaneAccess,
  node: string,
): Promise<readonly PodReference[]> =>
  (await podsOn(context, access, node)).map((pod) => {
    const { name, namespace, uid } = podSchema.parse(pod).metadata;
    return { name, namespace, uid };
  });

/**
 * Ends pods that are bound to a name which no Node has. A DaemonSet's controller that has not heard yet that a Node is
 * gone makes its pod for it once more, and only after a minute the garbage collector finds it orphaned. A machine of the
 * same name that joins before that would inherit the pod, of the image that was asked for then: a kube-proxy of the
 * former version, which it has not on board, and so never a network.
 */
export async function endStrayPods(
  context: StepContext,
  access: ControlPlaneAccess,
  name: string,
): Promise<void> {
  const strays = await allPods(context, access, name);
  if (strays.length === 0 || (await nodeOf(context, access, name)) !== undefined) return;
  const titles = strays.map((pod) => `${pod.namespace}/${pod.name}`);
  context.log(`ending what an earlier ${name} left: ${titles.join(', ')}`, name);
  await Promise.all(strays.map((pod) => context.kubernetes.deletePod(access, pod, 0)));
}

/** The pods on a node that a drain moves or waits for, by name; one call, whatever else runs in the cluster. */
export async function drainablePods(
  context: StepContext,
  access: ControlPlaneAccess,
  node: string,
): Promise<readonly NodePod[]> {
  return (await podsOn(context, access, node))
    .flatMap((pod) => drainable(pod) ?? [])
    .toSorted((one, other) => one.title.localeCompare(other.title));
}
