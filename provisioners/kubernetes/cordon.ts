import { z } from 'zod';
import type { ControlPlaneAccess } from '../contract/ports/etcd.ts';
import type { KubernetesObject } from '../contract/ports/kubernetes.ts';
import { Transient } from '../contract/problem.ts';
import type { StepContext } from '../contract/step.ts';
import { nodeOf } from './control-plane-state.ts';
import { cordonAnnotation, drainAnnotation } from './node-mark.ts';

/** Whether a Node takes new pods, and who saw to it that it does not. */
export type Cordon =
  | { readonly state: 'none' }
  /** By the operation of Remuda that the Node names. */
  | { readonly state: 'ours'; readonly by: string }
  | { readonly state: 'theirs' };

const nodeSchema = z.object({
  metadata: z.object({
    annotations: z.record(z.string(), z.string()).optional(),
    managedFields: z
      .array(
        z.looseObject({
          manager: z.string().optional(),
          fieldsV1: z
            .looseObject({
              'f:spec': z.looseObject({ 'f:unschedulable': z.unknown().optional() }).optional(),
            })
            .optional(),
        }),
      )
      .optional(),
  }),
  spec: z.looseObject({ unschedulable: z.boolean().optional() }).optional(),
});

const versionSchema = z.object({ metadata: z.object({ resourceVersion: z.string() }) });

/** Names under which the API server keeps what we wrote, and what it no longer knows the writer of. */
const ownManagers: ReadonlySet<string> = new Set(['remuda', 'ancient-changes']);

/**
 * Whose cordon a Node bears. Our annotation alone does not say: whoever releases our cordon by hand leaves it behind,
 * and one that somebody sets later would pass for ours. So the API server is believed as well, which notes who wrote
 * `spec.unschedulable` last (managedFields). It does so for every object from Kubernetes 1.22 on; 1.20 does for those
 * that were once applied with some field, as the step node.label does with every Node (tried on 1.20.2).
 */
export function cordonOf(node: KubernetesObject): Cordon {
  const { metadata, spec } = nodeSchema.parse(node);
  if (spec?.unschedulable !== true) return { state: 'none' };
  const by = metadata.annotations?.[cordonAnnotation];
  const writers = (metadata.managedFields ?? []).filter(
    ({ fieldsV1 }) => fieldsV1?.['f:spec']?.['f:unschedulable'] !== undefined,
  );
  const isWrittenByUs = writers.length === 0 || writers.some(({ manager = '' }) => ownManagers.has(manager));
  return by !== undefined && isWrittenByUs ? { state: 'ours', by } : { state: 'theirs' };
}

/** Marks of ours on a Node that go with a cordon. */
export const holdsMarks = (node: KubernetesObject): boolean =>
  [cordonAnnotation, drainAnnotation].some((key) => node.metadata.annotations?.[key] !== undefined);

/** How often a Node that changes under our hands is read again: heartbeats come every few seconds at most. */
const mostReads = 10;

type Change = {
  readonly isUnschedulable: boolean;
  readonly annotations: Readonly<Record<string, string | null>>;
};

/**
 * Changes a Node by what was just read of it, again and again until nobody came in between.
 * @throws Transient NODE-002 when somebody always did
 */
async function change(
  context: StepContext,
  access: ControlPlaneAccess,
  name: string,
  decide: (node: KubernetesObject) => Change | undefined,
): Promise<void> {
  for (let reads = 0; reads < mostReads; reads += 1) {
    const node = await nodeOf(context, access, name);
    const wanted = node === undefined ? undefined : decide(node);
    if (node === undefined || wanted === undefined) return;
    const { resourceVersion } = versionSchema.parse(node).metadata;
    const { isUnschedulable, annotations } = wanted;
    const set = await context.kubernetes.setUnschedulable(
      access,
      { name, resourceVersion },
      isUnschedulable,
      annotations,
    );
    if (set === 'set') return;
  }
  throw new Transient('NODE-002', `Somebody else changes the Node ${name} all the time.`, { machine: name });
}

/** Keeps new pods off a Node for an operation. Somebody else's cordon is left as it is; a missing Node is done. */
export const cordon = (
  context: StepContext,
  access: ControlPlaneAccess,
  name: string,
  owner: string,
): Promise<void> =>
  change(context, access, name, (node) => {
    const found = cordonOf(node);
    if (found.state === 'theirs' || (found.state === 'ours' && found.by === owner)) return undefined;
    return { isUnschedulable: true, annotations: { [cordonAnnotation]: owner } };
  });

/** Notes on a Node that it is drained, and cordons it where it takes pods. Somebody else's cordon stays theirs. */
export const beginDrain = (
  context: StepContext,
  access: ControlPlaneAccess,
  name: string,
  note: string,
): Promise<void> =>
  change(context, access, name, (node) => {
    const isOpen = cordonOf(node).state === 'none';
    if (!isOpen && node.metadata.annotations?.[drainAnnotation] === note) return undefined;
    const annotations = { [drainAnnotation]: note };
    return {
      isUnschedulable: true,
      annotations: isOpen ? { ...annotations, [cordonAnnotation]: context.operation } : annotations,
    };
  });

/** Takes our cordon and every mark of it off a Node. Somebody else's cordon stays. */
export const release = (context: StepContext, access: ControlPlaneAccess, name: string): Promise<void> =>
  change(context, access, name, (node) => {
    if (!holdsMarks(node)) return undefined;
    return {
      isUnschedulable: cordonOf(node).state === 'theirs',
      annotations: { [cordonAnnotation]: null, [drainAnnotation]: null },
    };
  });
