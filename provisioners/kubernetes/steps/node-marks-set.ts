import { z } from 'zod';
import type { ControlPlaneAccess } from '../../contract/ports/etcd.ts';
import type { KubernetesObject } from '../../contract/ports/kubernetes.ts';
import { Transient } from '../../contract/problem.ts';
import { defineStep, type StepContext } from '../../contract/step.ts';
import { accessSchema, type NoFacts } from '../cluster-settings.ts';
import { etcdMark, readNote } from '../etcd-endpoints.ts';
import { quick } from '../limits.ts';
import { readMarks, setMark } from '../marks.ts';
import { configAnnotation } from '../node-mark.ts';

const inputSchema = z.strictObject({
  /** Node → digest of what its machine was found to be configured from. */
  digests: z.record(z.string(), z.string()),
  access: accessSchema,
  /** What the cluster is to say of machines of etcd, which have no Node. */
  etcdNote: z.string().exactOptional(),
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

type Input = z.infer<typeof inputSchema>;

/** Whether the cluster has yet to say what its etcd was made from; what it says already stays. */
const lacksEtcdNote = async (context: StepContext, { etcdNote, access }: Input): Promise<boolean> =>
  etcdNote !== undefined && readNote(await readMarks(context, access)) === undefined;

/**
 * Marks Nodes whose machines were found to be as the document says, and notes the same of machines of etcd in the cluster:
 * nothing else of them is changed.
 */
export const nodeMarksSet = defineStep<Input, NoFacts>({
  kind: 'node-marks.set',
  version: 1,
  nature: 'ensure',
  phase: 'workers',
  destructive: false,
  title: ({ etcdNote }) =>
    `Mark the Nodes${etcdNote === undefined ? '' : ' and machines of etcd'} that are as the document says`,
  schema: inputSchema,
  limits: quick,
  async observe(context, input) {
    const nodes = await unmarked(context, input);
    const names = nodes.map(({ metadata }) => metadata.name).join(', ');
    if (nodes.length > 0)
      return { state: 'todo', why: `the mark of their configuration is missing on ${names}` };
    if (!(await lacksEtcdNote(context, input))) return { state: 'done', facts: {} };
    return { state: 'todo', why: 'the cluster does not say yet what its etcd was made from' };
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
    if (input.etcdNote !== undefined && (await lacksEtcdNote(context, input)))
      await setMark(context, input.access, etcdMark, input.etcdNote);
  },
});
