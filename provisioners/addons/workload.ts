import { z } from 'zod';
import type { ControlPlaneAccess } from '../contract/ports/etcd.ts';
import type { KubernetesObject, KubernetesPort } from '../contract/ports/kubernetes.ts';

const workloadSchema = z.object({
  spec: z.object({ replicas: z.int().optional() }),
  metadata: z.object({ generation: z.int().optional() }),
  status: z
    .object({
      observedGeneration: z.int().optional(),
      desiredNumberScheduled: z.int().optional(),
      numberReady: z.int().optional(),
      updatedNumberScheduled: z.int().optional(),
      readyReplicas: z.int().optional(),
      updatedReplicas: z.int().optional(),
    })
    .optional(),
});

const podSchema = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({ nodeName: z.string().optional() }),
  status: z
    .object({
      conditions: z
        .array(
          z.object({
            type: z.string(),
            status: z.string(),
            reason: z.string().optional(),
            message: z.string().optional(),
          }),
        )
        .optional(),
      containerStatuses: z
        .array(
          z.object({
            ready: z.boolean(),
            state: z
              .object({
                waiting: z
                  .object({ reason: z.string().optional(), message: z.string().optional() })
                  .optional(),
              })
              .optional(),
          }),
        )
        .optional(),
    })
    .optional(),
});

/** Why a pod is not ready, naming it and its node; undefined when it is. */
function complaintOf(pod: KubernetesObject): string | undefined {
  const { metadata, spec, status } = podSchema.parse(pod);
  const isReady =
    status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ??
    false;
  if (isReady) return undefined;
  const waiting = status?.containerStatuses?.find((container) => !container.ready)?.state?.waiting;
  const condition = status?.conditions?.find(
    (candidate) => candidate.status === 'False' && candidate.message !== undefined,
  );
  const reason = waiting?.message ?? waiting?.reason ?? condition?.message ?? 'not started yet';
  return `pod ${metadata.name} on ${spec.nodeName ?? 'no node yet'}: ${reason}`;
}

function isRolledOut(workload: KubernetesObject): {
  readonly ready: number;
  readonly wanted: number;
  readonly complete: boolean;
} {
  const { spec, metadata, status } = workloadSchema.parse(workload);
  const isCurrent = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  const isDaemonSet = workload.kind === 'DaemonSet';
  const wanted = isDaemonSet ? (status?.desiredNumberScheduled ?? 0) : (spec.replicas ?? 1);
  const ready = (isDaemonSet ? status?.numberReady : status?.readyReplicas) ?? 0;
  const updated = (isDaemonSet ? status?.updatedNumberScheduled : status?.updatedReplicas) ?? 0;
  return { ready, wanted, complete: isCurrent && wanted > 0 && ready >= wanted && updated >= wanted };
}

/**
 * What is awaited of one DaemonSet or Deployment: empty when every pod of its newest generation is ready, else a
 * sentence with the counts and one a pod that is not, with the reason Kubernetes gives.
 */
export async function awaitedOf(
  kubernetes: KubernetesPort,
  access: ControlPlaneAccess,
  workload: {
    readonly kind: 'DaemonSet' | 'Deployment';
    readonly namespace: string;
    readonly name: string;
    readonly labelSelector: string;
  },
): Promise<readonly string[]> {
  const { kind, namespace, name, labelSelector } = workload;
  const found = await kubernetes.get(access, { apiVersion: 'apps/v1', kind, namespace, name });
  if (found === undefined) return [`${kind} ${namespace}/${name} does not exist yet`];
  const { ready, wanted, complete } = isRolledOut(found);
  if (complete) return [];
  const pods = await kubernetes.list(access, { apiVersion: 'v1', kind: 'Pod', namespace, labelSelector });
  const complaints = pods.map(complaintOf).filter((complaint) => complaint !== undefined);
  return [`${kind} ${namespace}/${name}: ${ready} of ${wanted} pods ready`, ...complaints];
}
