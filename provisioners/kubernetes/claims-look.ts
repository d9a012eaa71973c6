import { z } from 'zod';
import type { ControlPlaneAccess } from '../contract/ports/etcd.ts';
import type { KubernetesObject, PodReference } from '../contract/ports/kubernetes.ts';
import type { StepContext } from '../contract/step.ts';
import { type GoingObject, goingObject } from './going-objects.ts';
import { type ClaimedVolume, claimedVolume } from './volumes.ts';

const podSchema = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string().default('default'),
    uid: z.string(),
    deletionTimestamp: z.string().optional(),
  }),
  spec: z.object({
    nodeName: z.string().optional(),
    volumes: z
      .array(
        z.looseObject({
          name: z.string(),
          persistentVolumeClaim: z.object({ claimName: z.string() }).optional(),
          ephemeral: z.unknown().optional(),
        }),
      )
      .default([]),
  }),
  status: z.object({ phase: z.string().optional() }).default({}),
});

const attachmentSchema = z.object({
  spec: z.object({
    attacher: z.string().default(''),
    nodeName: z.string(),
    source: z.object({ persistentVolumeName: z.string().optional() }),
  }),
});

/** A pod that runs with a claim, which cannot go as long as that is so. */
export interface ClaimUser {
  /** `shop/db-0`. */
  readonly title: string;
  readonly node: string;
  /** Claims it uses, `namespace/name`. */
  readonly claims: readonly string[];
  readonly reference: PodReference;
  /** It was told to go. */
  readonly isGoing: boolean;
  /** Its machine surely runs no more, so that nobody will ever say that the pod has ended. */
  readonly isStranded: boolean;
}

/** A volume that hangs on a machine. */
export interface Attachment {
  readonly volume: string;
  readonly node: string;
  readonly attacher: string;
}

/** Everything of a cluster that has to do with its persistent volumes. */
export interface ClaimsLook {
  readonly volumes: readonly ClaimedVolume[];
  readonly claims: readonly GoingObject[];
  readonly users: readonly ClaimUser[];
  readonly attachments: readonly Attachment[];
}

function userOf(object: KubernetesObject): Omit<ClaimUser, 'isStranded'> | undefined {
  const { metadata, spec, status } = podSchema.parse(object);
  const { name, namespace, uid, deletionTimestamp } = metadata;
  // A claim made for one pod alone (ephemeral) bears the pod's name and the volume's.
  const claims = spec.volumes.flatMap(({ name: volume, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim !== undefined) return `${namespace}/${persistentVolumeClaim.claimName}`;
    return ephemeral == null ? [] : `${namespace}/${name}-${volume}`;
  });
  // What nobody has placed holds no claim, and what has ended neither (pvc-protection controller).
  const isOver = status.phase === 'Succeeded' || status.phase === 'Failed';
  if (claims.length === 0 || spec.nodeName === undefined || isOver) return undefined;
  return {
    title: `${namespace}/${name}`,
    node: spec.nodeName,
    claims,
    reference: { namespace, name, uid },
    isGoing: deletionTimestamp !== undefined,
  };
}

/**
 * Machines that may run pods; undefined where nobody is to be asked. A machine that its provider does not have any more
 * was proven gone, and one that is off runs nothing.
 */
async function runningMachines(
  context: StepContext,
  users: readonly Omit<ClaimUser, 'isStranded'>[],
): Promise<ReadonlySet<string> | undefined> {
  if (users.length === 0) return undefined;
  const machines = await context.provider.machines.list(context.cluster);
  return new Set(machines.filter(({ state }) => state !== 'off').map(({ name }) => name));
}

/**
 * Looks at volumes, claims, the pods that use them, and what hangs on machines: four list calls, and one to the provider
 * where pods do.
 */
export async function lookAtClaims(context: StepContext, access: ControlPlaneAccess): Promise<ClaimsLook> {
  const list = (apiVersion: string, kind: string): Promise<KubernetesObject[]> =>
    context.kubernetes.list(access, { apiVersion, kind });
  const [volumes, claims, pods, attachments] = await Promise.all([
    list('v1', 'PersistentVolume'),
    list('v1', 'PersistentVolumeClaim'),
    list('v1', 'Pod'),
    list('storage.k8s.io/v1', 'VolumeAttachment'),
  ]);
  const users = pods.flatMap((pod) => userOf(pod) ?? []);
  const running = await runningMachines(context, users);
  return {
    volumes: volumes.flatMap((one) => claimedVolume(one) ?? []),
    claims: claims.map(goingObject),
    users: users.map((user) => ({ ...user, isStranded: running?.has(user.node) === false })),
    attachments: attachments.map((one) => {
      const { attacher, nodeName, source } = attachmentSchema.parse(one).spec;
      return { volume: source.persistentVolumeName ?? '', node: nodeName, attacher };
    }),
  };
}

/** `shop/data` of a claim. */
export const claimName = ({ reference }: GoingObject): string =>
  `${reference.namespace ?? 'default'}/${reference.name}`;
