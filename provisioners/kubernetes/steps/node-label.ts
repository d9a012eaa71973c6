import { z } from 'zod';
import type { KubernetesObject } from '../../contract/ports/kubernetes.ts';
import { Transient } from '../../contract/problem.ts';
import { defineStep } from '../../contract/step.ts';
import { accessSchema, type NoFacts } from '../cluster-settings.ts';
import { nodeOf } from '../control-plane-state.ts';
import { quick } from '../limits.ts';
import { configAnnotation } from '../node-mark.ts';

const taintSchema = z.object({
  key: z.string(),
  value: z.string().exactOptional(),
  effect: z.string(),
});
type Taint = z.infer<typeof taintSchema>;

const inputSchema = z.strictObject({
  name: z.string(),
  role: z.enum(['control-plane', 'worker']),
  labels: z.record(z.string(), z.string()),
  taints: z.array(taintSchema),
  /** Digest of what the machine was configured from; written last of all, so that it also says "finished". */
  configDigest: z.string(),
  access: accessSchema,
});

const specSchema = z.object({ spec: z.object({ taints: z.array(taintSchema).optional() }).optional() });

const isSame = (one: Taint, other: Taint): boolean => one.key === other.key && one.effect === other.effect;

const taintsOf = (node: KubernetesObject): readonly Taint[] => specSchema.parse(node).spec?.taints ?? [];

/** What of the wish the Node does not show. */
function missing(node: KubernetesObject, input: z.infer<typeof inputSchema>): string | undefined {
  const label = Object.entries(input.labels).find(([key, value]) => node.metadata.labels?.[key] !== value);
  if (label !== undefined) return `the label ${label[0]} is not ${label[1]}`;
  const present = taintsOf(node);
  const taint = input.taints.find(
    (wanted) => !present.some((found) => isSame(found, wanted) && found.value === wanted.value),
  );
  if (taint !== undefined) return `the taint ${taint.key} is missing`;
  if (node.metadata.annotations?.[configAnnotation] !== input.configDigest)
    return 'the mark of its configuration is missing';
  return undefined;
}

/** Labels and taints of a Node, and the mark that its machine is finished. */
export const nodeLabel = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'node.label',
  version: 1,
  nature: 'ensure',
  phase: 'workers',
  destructive: false,
  title: ({ name }) => `Label the Node ${name}`,
  schema: inputSchema,
  limits: quick,
  async observe(context, input) {
    const node = await nodeOf(context, input.access, input.name);
    if (node === undefined) return { state: 'todo', why: `the Node ${input.name} is not there yet` };
    const why = missing(node, input);
    return why === undefined ? { state: 'done', facts: {} } : { state: 'todo', why };
  },
  async apply(context, { name, labels, taints, configDigest, access }) {
    const node = await nodeOf(context, access, name);
    if (node === undefined)
      throw new Transient('NODE-001', `The Node ${name} is not in the cluster yet.`, { machine: name });
    // The list of taints is applied as a whole: those of others (not ready, control plane) are carried over.
    const others = taintsOf(node).filter((found) => !taints.some((wanted) => isSame(found, wanted)));
    await context.kubernetes.apply(access, [
      {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name, labels, annotations: { [configAnnotation]: configDigest } },
        ...(taints.length === 0 ? {} : { spec: { taints: [...others, ...taints] } }),
      },
    ]);
  },
});
