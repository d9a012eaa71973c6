import { z } from 'zod';
import type { ControlPlaneAccess } from '../contract/ports/etcd.ts';
import type { KubernetesObject } from '../contract/ports/kubernetes.ts';
import type { StepContext } from '../contract/step.ts';

const podSchema = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string(), deletionTimestamp: z.string().optional() }),
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
        .default([]),
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
        .default([]),
    })
    .default({ conditions: [], containerStatuses: [] }),
});

/** Of so many pods it is told why they are not ready: usually all have the same reason. */
const shown = 2;

/** Why a pod is not ready, in Kubernetes' own words; undefined when it is, or is on its way out. */
function complaintOf(object: KubernetesObject): string | undefined {
  const { metadata, spec, status } = podSchema.parse(object);
  const isReady = status.conditions.some((one) => one.type === 'Ready' && one.status === 'True');
  if (isReady || metadata.deletionTimestamp !== undefined) return undefined;
  const pod = `${metadata.namespace}/${metadata.name}`;
  const waiting = status.containerStatuses.find(({ ready }) => !ready)?.state?.waiting;
  const unscheduled = status.conditions.find((one) => one.type === 'PodScheduled' && one.status === 'False');
  const unready = status.conditions.find((one) => one.type === 'Ready');
  const words = unscheduled?.message ?? waiting?.message ?? waiting?.reason ?? unready?.message;
  return `${pod} on ${spec.nodeName ?? 'no node yet'}: ${words ?? 'it has not started'}`;
}

/** Which pods of a selection are not ready, and why: the first few, or nothing. */
export async function unreadyAmong(
  context: StepContext,
  access: ControlPlaneAccess,
  of: { readonly namespace: string; readonly labelSelector: string },
): Promise<string | undefined> {
  const pods = await context.kubernetes.list(access, { apiVersion: 'v1', kind: 'Pod', ...of });
  const complaints = pods.flatMap((pod) => complaintOf(pod) ?? []).toSorted();
  if (complaints.length === 0) return undefined;
  const more = complaints.length > shown ? ` and ${complaints.length - shown} more` : '';
  return `${complaints.slice(0, shown).join('; ')}${more}`;
}
