import { z } from 'zod';
import type { ControlPlaneAccess } from '../../contract/ports/etcd.ts';
import type { KubernetesObject } from '../../contract/ports/kubernetes.ts';
import { Transient } from '../../contract/problem.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { accessSchema, type NoFacts } from '../cluster-settings.ts';
import { quick } from '../limits.ts';
import { configAnnotation } from '../node-mark.ts';

const inputSchema = z.strictObject({
  /** Node → digest of what its machine was found to be configured from. */
  digests: z.record(z.string(), z.string()),
  access: accessSchema,
});

const nodeSchema = z.object({
  metadata: z.object({ name: z.string(), resourceVersion: z.string() }),
  spec: z.looseObject({ unschedulable: z.boolean().optional() }).optional(),
});

/** Nodes that bear no mark of their configuration; one that bears another says something that is looked at elsewhere. */
async function unmarked(
  context: StepContext,
  {
    access,
    digests,
  }: { readonly access: ControlPlaneAccess; readonly digests: Readonly<Record<string, string>> },
): Promise<KubernetesObject[]> {
  const nodes = await context.kubernetes.list(access, { apiVersion: 'v1', kind: 'Node' });
  return nodes.filter(
    ({ metadata: { name, annotations } }) =>
      digests[name] !== undefined && annotations?.[configAnnotation] === undefined,
  );
}

/** Marks Nodes whose machines were found to be as the document says: nothing else of them is changed. */
export const nodeMarksSet = defineStep<z.infer<typeof inputSchema>, NoFacts>({
  kind: 'node-marks.set',
  version: 1,
  nature: 'ensure',
  phase: 'workers',
  destructive: false,
  title: () => 'Mark the Nodes that are as the document says',
  schema: inputSchema,
  limits: quick,
  async observe(context, input) {
    const nodes = await unmarked(context, input);
    if (nodes.length === 0) return { state: 'done', facts: {} };
    const names = nodes.map(({ metadata }) => metadata.name).join(', ');
    return { state: 'todo', why: `the mark of their configuration is missing on ${names}` };
  },
  async apply(context, input) {
    for (const node of await unmarked(context, input)) {
      const { metadata, spec } = nodeSchema.parse(node);
      const mark = { [configAnnotation]: input.digests[metadata.name] ?? null };
      const isClosed = spec?.unschedulable === true;
      const answer = await context.kubernetes.setUnschedulable(input.access, metadata, isClosed, mark);
      if (answer === 'outdated')
        throw new Transient('NODE-002', `The Node ${metadata.name} has changed meanwhile.`, {
          machine: metadata.name,
        });
    }
  },
});
